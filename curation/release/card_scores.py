"""What a release's card says of scores: how they spread, and how far each is only length."""

from collections.abc import Sequence

from curation.release.markdown import code, inline, table
from curation.report.counted import ScoreNumbers
from curation.report.svg import number, percent

COLUMNS = ("score", "records", "median", "nine in ten", "without one", "with length")


def scores_part(scores: Sequence[ScoreNumbers]) -> str:
    """Return the scores as a table, with what there is to say of length and of nulls; nothing where there are none."""
    if not scores:
        return ""
    said = [f"{code(one.name)} {one.length.said}." for one in scores if one.length and one.length.said]
    why = [
        f"{code(one.name)} has none for {reason.count:,}: {inline(reason.words)}"
        for one in scores
        for reason in one.missing
    ]
    lines = "\n".join(f"- {line}" for line in (*said, *why))
    return "\n\n".join(part for part in (_head(scores), table(COLUMNS, map(_row, scores)), lines) if part)


def _head(scores: Sequence[ScoreNumbers]) -> str:
    most = max(one.looked_at for one in scores)
    of = f" Of more than {most:,} records as many were drawn." if any(one.sampled for one in scores) else ""
    return (
        "### Scores\n\nOf the records that were scored, kept or rejected since; with length: the rank correlation with "
        f"the words of the response.{of}"
    )


def _row(one: ScoreNumbers) -> tuple[str | int, ...]:
    spread = one.spread
    middle = (number(spread.median), f"{number(spread.p05)} to {number(spread.p95)}") if spread else ("none", "none")
    related = f"{one.length.spearman:+g}" if one.length else "not known"
    return (code(one.name), one.having, *middle, percent(one.missing_share), related)
