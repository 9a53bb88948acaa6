"""Scores at rest: one line of `scores.jsonl` is one score of one record.

    {"id": "5fd62ce40e017e7d", "name": "ifd_loss_ratio", "value": 0.83}
    {"id": "0c1d6f3a9b7e2210", "name": "ifd_loss_ratio", "value": null, "reason": "too_long_for_the_model"}

A score that could not be computed is null with a reason: never a number that stands in for it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

from schemas.codec import loads
from schemas.errors import InputError

SCORES = "scores"
"""Name under which a stage leaves scores aside."""
FILE = f"{SCORES}.jsonl"
MISSING = "score_missing"
"""The reason of a null that gives none."""

LIMITS = {"ifd_loss_ratio": 1.0, "ifd_perplexity_ratio": 1.0}
"""Score → the value above which it says that something is wrong with a record, rather than how good it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A record's score, or why it has none."""

    value: float | None = None
    reason: str = ""


class Line(NamedTuple):
    """One score of one record."""

    id: str
    name: str
    score: Score

    def row(self) -> dict[str, Any]:
        """Return the line as it stands in the file."""
        why = {"reason": self.score.reason} if self.score.value is None else {}
        return {"id": self.id, "name": self.name, "value": self.score.value, **why}


def read_scores(path: Path) -> Iterator[Line]:
    """Yield the scores of a file.

    Raises:
        InputError: a line is none.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            yield _read(line, f"{path}:{number}")


def is_number(value: object) -> bool:
    """Say whether a value can be a score."""
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _read(line: bytes, place: str) -> Line:
    try:
        row = loads(line)
    except ValueError as error:
        raise InputError(place=place, expected="one JSON object", found=str(error)) from error
    if not (isinstance(row, dict) and isinstance(row.get("id"), str) and isinstance(row.get("name"), str)):
        raise InputError(
            place=place, expected="an object with id, name and value", found=line.decode(errors="replace")[:80]
        )
    value = row.get("value")
    if value is None:
        return Line(row["id"], row["name"], Score(reason=str(row.get("reason") or MISSING)))
    if not is_number(value):
        raise InputError(place=place, field="value", expected="a number or null", found=repr(value)[:80])
    return Line(row["id"], row["name"], Score(value=float(value)))
