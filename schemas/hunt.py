"""What is worth a person's look, in which order and why: left by whoever found it, read by a review.

hunt.jsonl   {"id": …, "rank": 1, "why": ["…"], "figures": {"loss before": 5.1}, "other": "id of the contradicting one"}
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from schemas.codec import adapter
from schemas.errors import InputError

HUNT = "hunt"
"""The side file: hunt.jsonl."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunted:
    """A record that is worth a look."""

    id: str
    rank: int
    """From 1: the first to look at."""
    why: tuple[str, ...]
    """In plain words, for the person who looks."""
    figures: Mapping[str, float] = field(default_factory=dict)
    """What was measured, by name."""
    other: str = ""
    """The record that speaks against it, if one does."""


def read_hunt(path: Path) -> tuple[Hunted, ...]:
    """Read a hunt by rank; of a record that stands there twice the first counts.

    Raises:
        InputError: no such file, or a line that is none of a hunt.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise InputError(place=path, expected="a hunt.jsonl", found=error.strerror or str(error)) from error
    rows = [_read(line, f"{path}:{number}") for number, line in enumerate(lines, 1) if line.strip()]
    first: dict[str, Hunted] = {}
    for row in sorted(rows, key=lambda one: one.rank):
        first.setdefault(row.id, row)
    return tuple(first.values())


def _read(line: bytes, place: str) -> Hunted:
    try:
        found: Hunted = adapter(Hunted).validate_json(line)
    except ValueError as error:
        expected = "a line of a hunt, with id, rank and why"
        raise InputError(place=place, expected=expected, found=str(error).splitlines()[0]) from error
    return found
