"""One instruction/response pair, where it came from, and what has been said about it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from dataclasses import field as default
from functools import cache
from typing import Any, TypeAlias

import orjson

Row: TypeAlias = Mapping[str, Any]
"""What stood in somebody's file: field names to JSON values."""

CATEGORIES = (
    "brainstorming",
    "classification",
    "closed_qa",
    "creative_writing",
    "generation",
    "information_extraction",
    "open_qa",
    "summarization",
)
"""The kinds of task that seeds are written for, after InstructGPT and databricks-dolly-15k; data may name others."""

TEXT_FIELDS = ("instruction", "context", "response")
"""The fields that make a record's identity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a row was rejected or flagged, with the evidence."""

    code: str
    """What is wrong, in snake case: `response_truncated`."""
    field: str = ""
    """The field it was found in; empty for the row as a whole."""
    found: str = ""
    """What was found, shortened to a line."""
    limit: str = ""
    """What was expected or allowed."""
    other: str = ""
    """The id of the other row, where the reason is about two."""
    scores: Mapping[str, float] = default(default_factory=dict)
    """Named scores that decided, such as the cosine of two prompts."""
    span: tuple[int, int] | None = None
    """First and one-past-last character in the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """A change made to a kept record, with the old value."""

    code: str
    """What was wrong, in snake case: `no_input_marker`."""
    field: str
    """The field that was changed."""
    old: str
    """The value as it came in."""
    new: str
    """The value as it is now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """A rejected row that somebody put back."""

    step: str
    """Name of the directory of the step that had rejected it."""
    codes: tuple[str, ...]
    """Codes of the reasons it had been rejected for."""
    by: str = ""
    """Who put it back."""
    note: str = ""
    """Why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a record came from."""

    source: str = ""
    """File name, Hub id, or `generate`."""
    line: int | None = None
    """The row's number in the source, from 1."""
    format: str = ""
    """The format it was read as, see `schemas.formats`."""
    model: str = ""
    """The model that wrote it."""
    terms: str = ""
    """Class of the terms of use of the models that wrote it, the strictest where there were several."""
    strategy: str = ""
    """How the model was asked, where a model wrote it."""
    request: str = ""
    """Key of the request whose answer it came out of, in the journal."""
    seeds: tuple[str, ...] = ()
    """Ids of the records that stood in that request as examples."""
    previous: tuple[str, ...] = ()
    """Its ids before each repair or edit, oldest first."""
    restored: tuple[Restored, ...] = ()
    """Each time it was put back after a rejection, oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructionRecord:
    """One instruction/response pair; the field names are those of databricks-dolly-15k."""

    instruction: str
    response: str
    context: str = ""
    category: str = ""
    provenance: Provenance = default(default_factory=Provenance)
    repairs: tuple[Repair, ...] = ()
    """Every change made so far, oldest first."""
    flags: tuple[Reason, ...] = ()
    """What checks noticed without rejecting the record."""
    extra: Row = default(default_factory=dict)
    """Fields of a foreign file that we do not know, carried along."""

    @property
    def id(self) -> str:
        """First 16 hex digits of sha256 over instruction, context, response: equal content, equal id."""
        return content_id(self.instruction, self.context, self.response)


def content_id(instruction: str, context: str, response: str) -> str:
    """Return the id of these three texts; a JSON array keeps their borders unambiguous."""
    return hashlib.sha256(orjson.dumps([instruction, context, response])).hexdigest()[:16]


def digest16(row: Row) -> str:
    """Return an id for a row that never was a record: 16 hex digits over its JSON, non-Unicode escaped."""
    return hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()[:16]


def repaired(record: InstructionRecord, repair: Repair) -> InstructionRecord:
    """Return the record with the repair made and written down, and its former id remembered."""
    changed = replace(record, **{repair.field: repair.new})  # type: ignore[arg-type]  # the field is a text field
    previous = record.provenance.previous + (record.id,) * (changed.id != record.id)
    return replace(changed, repairs=(*record.repairs, repair), provenance=replace(record.provenance, previous=previous))


def flagged(record: InstructionRecord, reason: Reason) -> InstructionRecord:
    """Return the record with the flag added, once."""
    return record if reason in record.flags else replace(record, flags=(*record.flags, reason))


def to_row(record: InstructionRecord) -> dict[str, Any]:
    """Return the record as the plain row that stands in `records.jsonl`, empty parts left out."""
    row: dict[str, Any] = {
        "id": record.id,
        "instruction": record.instruction,
        "context": record.context,
        "response": record.response,
        "category": record.category,
        "provenance": plain(record.provenance),
    }
    if record.repairs:
        row["repairs"] = [asdict(repair) for repair in record.repairs]
    if record.flags:
        row["flags"] = [plain(flag) for flag in record.flags]
    if record.extra:
        row["extra"] = dict(record.extra)
    return row


def plain(part: Provenance | Reason) -> dict[str, Any]:
    """Return what a record's provenance, a reason or a flag knows, as plain data.

    The same as `asdict` without the empty keys, at a fifth of its time: a step writes one or more for every record.
    """
    shape: Any = type(part)
    row = without_empty({name: getattr(part, name) for name in _names(shape)})
    if "restored" in row:
        row["restored"] = tuple(asdict(one) for one in row["restored"])
    return row


@cache
def _names(shape: Any) -> tuple[str, ...]:
    return tuple(one.name for one in fields(shape))


def without_empty(row: Row) -> dict[str, Any]:
    """Drop the keys whose value is empty, so that a line shows only what is known."""
    return {key: value for key, value in row.items() if value not in ("", None, (), [], {})}
