"""Which records are the same once case, spacing and Unicode variants are put aside."""

from collections.abc import Sequence

from curation.text import normal_form
from schemas.record import TEXT_FIELDS, InstructionRecord


def exact_key(record: InstructionRecord, fields: Sequence[str] = TEXT_FIELDS) -> tuple[str, ...]:
    """Return the normal forms of the fields: equal keys, exact duplicates."""
    return tuple(normal_form(getattr(record, field)) for field in fields)
