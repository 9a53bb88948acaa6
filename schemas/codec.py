"""JSON in and out, for whatever stands in somebody's file.

orjson does nearly all of it. What it refuses and Python accepts (lone surrogates, NaN, integers over 64 bits) goes
through the standard library, so that a strange row can still be written down exactly as it came in.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import fields
from functools import cache
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from schemas.errors import InputError
from schemas.outcome import Rejection
from schemas.record import InstructionRecord, Row, plain, to_row

DEEPEST = 500
"""Levels of a value that is read: with twice as many, Python cannot write it down again."""
TOO_DEEP = "nested too deeply"


def dumps(value: object) -> bytes:
    """Return `value` as one line of JSON without its newline."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()


def loads(line: bytes | str) -> Any:
    """Return the value of a JSON text.

    Raises:
        ValueError: not JSON; the message says what and at which character. Or nested too deeply.
    """
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        value = by_python(line)
    return not_deep(value, line)


def by_python(text: bytes | str, **how: Any) -> Any:
    """Return the value of a JSON text as the standard library reads it.

    Raises:
        ValueError: not JSON, or nested too deeply.
    """
    try:
        return json.loads(text, **how)
    except RecursionError:
        raise ValueError(TOO_DEEP) from None


def not_deep(value: Any, text: bytes | str) -> Any:
    """Return the value of a JSON text.

    Raises:
        ValueError: it is nested too deeply.
    """
    if len(text) <= 2 * DEEPEST:  # every level is opened and closed
        return value
    brackets = text.count("[") + text.count("{") if isinstance(text, str) else text.count(b"[") + text.count(b"{")
    level, deep = [value] if brackets > DEEPEST else [], 0
    while level := [inner for one in level for inner in _inner(one)]:
        deep += 1
        if deep > DEEPEST:
            raise ValueError(TOO_DEEP)
    return value


def _inner(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def canonical(value: object) -> bytes:
    """Return the one way of writing `value` that hashes are taken of: sorted keys, no spaces."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode()


def sha256_of(value: object) -> str:
    """Return the hex sha256 of `value` in canonical form."""
    return hashlib.sha256(canonical(value)).hexdigest()


@cache
def adapter(shape: Any) -> TypeAdapter[Any]:
    """Return the validator of one of our dataclasses; made once, it is slow to make."""
    return TypeAdapter(shape)


def rejection_row(rejection: Rejection) -> dict[str, Any]:
    """Return the rejection as the row that stands in `rejected.jsonl`."""
    return {
        "id": rejection.id,
        "reasons": [plain(reason) for reason in rejection.reasons],
        "provenance": plain(rejection.provenance),
        "row": dict(rejection.row),
    }


def read_record(line: bytes, place: str = "") -> InstructionRecord:
    """Read one line of `records.jsonl` back.

    Raises:
        InputError: not a record, or its id is not the id of its content.
    """
    row = _valid(InstructionRecord, line, place)
    record: InstructionRecord = row
    written = loads(line).get("id")
    if written != record.id:
        raise InputError(place=place, field="id", expected=record.id, found=str(written))
    return record


def read_rejection(line: bytes, place: str = "") -> Rejection:
    """Read one line of `rejected.jsonl` back.

    Raises:
        InputError: not a rejection.
    """
    rejection: Rejection = _valid(Rejection, line, place)
    return rejection


def write_record(record: InstructionRecord) -> bytes:
    """Return the record as a line of `records.jsonl`."""
    return dumps(to_row(record)) + b"\n"


def write_rejection(rejection: Rejection) -> bytes:
    """Return the rejection as a line of `rejected.jsonl`."""
    return dumps(rejection_row(rejection)) + b"\n"


def read_config(shape: Any, settings: Row, place: str) -> Any:
    """Make the dataclass `shape` out of settings that a person wrote; unknown names are errors.

    Raises:
        InputError: names the setting, what was found and what is expected.
    """
    known = [one.name for one in fields(shape)]
    for name in settings:
        if name not in known:
            raise InputError(
                place=place, field=str(name), expected=f"one of {', '.join(known)}", found="an unknown setting"
            )
    try:
        return adapter(shape).validate_python(settings)
    except ValidationError as error:
        raise _from_pydantic(error, place) from error


def as_config(value: Any) -> dict[str, Any]:
    """Return the identity of a frozen dataclass: its fields as plain data, without those marked `identity: False`."""
    shape: Any = type(value)
    plain = adapter(shape).dump_python(value, mode="json")
    return {one.name: plain[one.name] for one in fields(value) if one.metadata.get("identity", True)}


def _valid(shape: Any, line: bytes, place: str) -> Any:
    try:
        return adapter(shape).validate_json(line)
    except ValidationError as error:
        try:
            return adapter(shape).validate_python(loads(line))
        except ValueError:
            raise _from_pydantic(error, place) from error


def _from_pydantic(error: ValidationError, place: str) -> InputError:
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return InputError(place=place, field=where, expected=first["msg"], found=_short(first["input"]))


def _short(value: object, most: int = 80) -> str:
    text = repr(value)
    return text if len(text) <= most else text[: most - 1] + "…"
