"""The order in which records have a claim to be kept: of two duplicates the better one stays, wherever it stands."""

from typing import Any

from schemas.record import InstructionRecord

LONG_ENOUGH = 2000
"""Characters of a response beyond which longer is no longer better."""

BAND = 50
"""Characters within which two responses count as equally long."""


def worth(record: InstructionRecord, prefer: str = "") -> tuple[Any, ...]:
    """Return the key that sorts better records first, the same for a record wherever it stands.

    Fewer flags first; then the higher score in the foreign field `prefer`, those without one last; then what a person
    wrote before what a model wrote; then the longer response, in bands and up to a length; then the id.
    """
    length = min(len(record.response.strip()), LONG_ENOUGH) // BAND
    by_model = bool(record.provenance.model)
    score = _score(record, prefer)
    return (len(record.flags), score is None, -(score or 0), by_model, -length, record.id)


def _score(record: InstructionRecord, name: str) -> float | None:
    """Return a number that an earlier step or a foreign file gave the record; None where there is none."""
    score = record.extra.get(name) if name else None
    usable = isinstance(score, int | float) and not isinstance(score, bool) and score == score  # noqa: PLR0124 - not NaN
    return score if usable else None
