"""The order in which records have a claim to be kept: of two duplicates the better one stays, wherever it stands."""

from typing import Any

from schemas.codec import canonical
from schemas.record import InstructionRecord, to_row

LONG_ENOUGH = 2000
"""Characters of a response beyond which longer is no longer better."""

BAND = 50
"""Characters within which two responses count as equally long."""


def worth(record: InstructionRecord) -> tuple[Any, ...]:
    """Return the key that sorts better records first, the same for a record wherever it stands.

    Fewer flags first; then what a person wrote before what a model wrote; then the longer response, in bands and up
    to a length; then the id, and the record's own bytes, so that no two different records tie.
    """
    length = min(len(record.response.strip()), LONG_ENOUGH) // BAND
    return (len(record.flags), bool(record.provenance.model), -length, record.id, canonical(to_row(record)))
