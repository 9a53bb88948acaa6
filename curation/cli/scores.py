"""How scores and their agreement read on a terminal."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from curation.score.agreement import Agreement, Compared
from curation.score.cost import cost_of
from curation.score.file import SCORES
from curation.score.reasons import SCORE_REASONS
from curation.score.stage import Scoring
from schemas.record import InstructionRecord
from schemas.step import StepDirectory

Said: TypeAlias = tuple[Mapping[str, Any], str]
"""An outcome for programs, and for people."""


def score_lines(step: StepDirectory) -> Iterator[Said]:
    """Yield each score's spread and its nulls, then what is known of the scorers."""
    values: dict[str, list[float]] = defaultdict(list)
    nulls: dict[str, Counter[str]] = defaultdict(Counter)
    for row in step.rows(SCORES):
        values[row["name"]] += [] if row["value"] is None else [row["value"]]
        nulls[row["name"]].update([] if row["value"] is not None else [row["reason"]])
    for name, found in values.items():
        yield _spread(name, found)
        for reason, count in sorted(nulls[name].items()):
            event = {"event": "null", "name": name, "reason": reason, "records": count}
            yield event, f"    {count:,} null: {reason}: {SCORE_REASONS.get(reason, '')}"
    for row in step.rows("scorers"):
        said = "  ifd by {model} in {precision}, template {template}; alone a response follows {response_alone_follows}"
        yield {"event": "scorer", **row}, said.format(**row)
    for row in step.rows("judging"):
        yield {"event": "judge", **row}, _judging(row)


def cost_lines(stage: Scoring, records: Sequence[InstructionRecord]) -> Iterator[Said]:
    """Yield what each scorer would do."""
    for scorer in stage.scorers:
        event: dict[str, Any] = {"event": "would_score", "scorer": scorer, "records": len(records)}
        if scorer != "judge":
            yield event, f"{scorer}: {len(records):,} records, nothing is sent"
            continue
        cost = cost_of(stage, records)
        usd = {"usd": None if cost.usd is None else float(cost.usd)}
        usd |= {"usd_most": None if cost.usd_most is None else float(cost.usd_most)}
        event |= {"questions": cost.questions, "answered": cost.answered, "tokens": cost.tokens.total, **usd}
        yield {**event, "tokens_most": cost.most.total}, str(cost)


def agreement_text(found: Agreement) -> str:
    """Return the table of agreement, and what there is to say of it."""
    head = f"{'score':24} {'score':24} {'records':>7} {'Spearman (95 %)':>23} {'Kendall':>8}"
    lines = [f"{head} {f'top {found.top:.0%} shared':>15} {'by chance':>10}"]
    lines += [_compared(pair) for pair in found.pairs]
    for name, reasons in found.missing.items():
        lines += [f"{name}: {count:,} null, {reason}" for reason, count in reasons.items()]
    chance = max((pair.chance for pair in found.pairs), default=1.0)
    lines.append(f"unrelated scorers stay within {chance:.2f} of 0, 95 times of 100")
    return "\n".join([*lines, *found.said()])


def _spread(name: str, found: Sequence[float]) -> Said:
    if not found:
        return {"event": "scores", "name": name, "records": 0}, f"  {name:24} none"
    low, middle, high = min(found), statistics.median(found), max(found)
    event = {"event": "scores", "name": name, "records": len(found), "least": low, "median": middle, "most": high}
    return event, f"  {name:24} {len(found):>7,} records, {low:.4g} to {high:.4g}, median {middle:.4g}"


def _judging(row: Mapping[str, Any]) -> str:
    if "flipped" in row:
        rate = "unknown" if row["flip_rate"] is None else f"{row['flip_rate']:.1%}"
        return (
            f"  {row['judge']} compared {row['pairs']:,} pairs in both orders: {row['flipped']:,} answers turned with "
            f"the order ({rate}, 95 %: {row['low']:.1%} to {row['high']:.1%}), {row['unreadable']:,} unreadable"
        )
    apart = "" if row["apart"] is None else f", {row['apart']:.2f} apart on average"
    return (
        f"  {row['judge']} on {row['criterion']}: {row['unreadable']:,} of {row['rated']:,} unreadable; asked twice it "
        f"said the same of {row['same']:,} in {row['twice']:,} (95 %: {row['low']:.0%} to {row['high']:.0%}){apart}"
    )


def _compared(pair: Compared) -> str:
    known = pair.spearman is not None and pair.low is not None
    rho = f"{pair.spearman:+.2f} ({pair.low:+.2f} to {pair.high:+.2f})" if known else "unknown"
    tau = "unknown" if pair.kendall is None else f"{pair.kendall:+.2f}"
    shared = "unknown" if pair.overlap is None else f"{pair.overlap:.0%}"
    row = f"{pair.one:24} {pair.other:24} {pair.records:>7,} {rho:>23} {tau:>8}"
    return f"{row} {shared:>15} {pair.overlap_by_chance:>10.0%}"
