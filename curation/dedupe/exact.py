"""Which records are the same once case, spacing and Unicode variants are put aside."""

import hashlib
from collections.abc import Sequence

import orjson

from curation.text import normal_form
from schemas.record import TEXT_FIELDS, InstructionRecord

DIGEST = 16
"""Bytes of a key."""


def exact_key(record: InstructionRecord, fields: Sequence[str] = TEXT_FIELDS) -> bytes:
    """Return a hash of the normal forms of the fields: equal keys, exact duplicates."""
    forms = [normal_form(getattr(record, field)) for field in fields]
    return hashlib.sha256(orjson.dumps(forms)).digest()[:DIGEST]
