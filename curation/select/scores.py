"""Where a score is read from, and what stands for one that is not there.

A score is found under its name, in this order: a built-in one; a side file `scores.jsonl`, of the step that is read or
of a step that led to it; a field of the rows as they came in. A line of `scores.jsonl` is one score of one record:

    {"id": "5fd62ce40e017e7d", "name": "ifd", "value": 0.83}
    {"id": "0c1d6f3a9b7e2210", "name": "ifd", "value": null, "reason": "response_too_long_for_the_model"}

A score that could not be computed is null with a reason: never a number that stands in for it. Where a record has
several lines for a score the last one counts; a record that was repaired has another id, so the score of its old text
is not taken for its own.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from curation.select.surface import surface
from schemas.codec import loads
from schemas.errors import InputError
from schemas.record import InstructionRecord

SCORES: Mapping[str, Callable[[InstructionRecord], float]] = {"surface": surface}
"""Name → a score that is computed from the record alone; higher is better."""

FILE = "scores.jsonl"
MISSING, NOT_A_NUMBER = "score_missing", "score_not_a_number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A record's score, or why it has none."""

    value: float | None = None
    reason: str = ""


def scores_of(records: Sequence[InstructionRecord], name: str, files: Iterable[str]) -> list[Score]:
    """Return each record's score called `name`.

    Raises:
        InputError: there is no such score at all; says which there are. Or a line of a file is none.
    """
    if name in SCORES:
        return [Score(value=SCORES[name](record)) for record in records]
    found: dict[str, Score] = {}
    names: set[str] = set()
    for path in files:
        names |= _read(Path(path), name, found)
    scores = [found.get(record.id) or _field(record, name) for record in records]
    if records and all(score.reason == MISSING for score in scores):
        names |= {key for record in records for key, value in record.extra.items() if _is_number(value)}
        known = ", ".join((*SCORES, *sorted(names)))
        raise InputError(place="select", field="by", expected=f"one of {known}", found=name)
    return scores


def _read(path: Path, name: str, found: dict[str, Score]) -> set[str]:
    """Take the scores called `name` out of a file; return all names in it."""
    names = set()
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            row = _row(line, f"{path}:{number}")
            names.add(row["name"])
            if row["name"] == name:
                value, why = row.get("value"), str(row.get("reason") or "")
                found[row["id"]] = Score(reason=why or MISSING) if value is None else Score(value=float(value))
    return names


def _row(line: bytes, place: str) -> dict[str, Any]:
    try:
        row = loads(line)
    except ValueError as error:
        raise InputError(place=place, expected="one JSON object", found=str(error)) from error
    if not (isinstance(row, dict) and isinstance(row.get("id"), str) and isinstance(row.get("name"), str)):
        raise InputError(
            place=place, expected="an object with id, name and value", found=line.decode(errors="replace")[:80]
        )
    if not (row.get("value") is None or _is_number(row["value"])):
        raise InputError(place=place, field="value", expected="a number or null", found=repr(row["value"])[:80])
    return row


def _field(record: InstructionRecord, name: str) -> Score:
    """Return the score that stood in the row as it came in."""
    if name not in record.extra:
        return Score(reason=MISSING)
    value = record.extra[name]
    return Score(value=float(value)) if _is_number(value) else Score(reason=NOT_A_NUMBER)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
