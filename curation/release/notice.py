"""The file NOTICE: which models wrote the records, what their makers allow, who waived what."""

from curation.release.markdown import short
from curation.terms.table import MEANINGS, STRICTNESS
from schemas.release import Generator, ReleaseFacts


def notice(facts: ReleaseFacts) -> str:
    """Return the text of NOTICE."""
    parts = [f"{short(facts.title)} {facts.version}", _models(facts), _waived(facts), _closing(facts)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _models(facts: ReleaseFacts) -> str:
    if not facts.generators:
        return "For none of the records a model is named as their author."
    lines = "\n".join(_model(one) for one in facts.generators)
    kinds = sorted({one.kind for one in facts.generators}, key=STRICTNESS.index)
    meanings = "\n".join(f"  {kind}: {MEANINGS[kind]}" for kind in kinds)
    return (
        f"These models wrote records. Whoever uses what they wrote is bound by their makers' terms:\n\n{lines}\n\n"
        f"What the classes mean:\n\n{meanings}\n\nThe strictest of them binds the whole: {facts.terms}."
    )


def _model(one: Generator) -> str:
    licence = f"{one.licence}, {one.url}" if one.licence else "its terms are not known here"
    return f"  {short(one.model)}: {one.rows:,} records; {one.kind}; {licence}"


def _waived(facts: ReleaseFacts) -> str:
    if facts.waiver is None:
        return ""
    licence, by, reason = short(facts.license), short(facts.waiver.by), short(facts.waiver.reason)
    return f"The licence {licence} may allow more than these terms do. {by} answers for that: {reason}"


def _closing(facts: ReleaseFacts) -> str:
    return (
        f"Classes are from version {facts.terms_version} of the tool's table of terms. Terms change, and the makers' "
        "own pages are what counts; this is no legal advice."
    )
