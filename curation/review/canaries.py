"""Canaries: records spoilt on purpose and put among those that are measured, to learn how much a reviewer sees.

They are made from real records, stand only in the store (as what was drawn), and are never part of any data.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, pairwise
from typing import Any

from curation.review.board import Board
from curation.review.events import FAULT
from curation.review.rows import Item, Rows
from schemas.codec import sha256_of
from schemas.record import InstructionRecord

CANARIES = "canaries"
"""The name of the draw."""
SHORTEST = 40
"""Characters of a response that can be cut so that it shows."""

Spoiler = Callable[[InstructionRecord, InstructionRecord], InstructionRecord | None]
"""From a record and another one to the record with a defect, or None where it would not show."""


def _answered_elsewhere(record: InstructionRecord, other: InstructionRecord) -> InstructionRecord | None:
    if record.response.strip().lower() == other.response.strip().lower():
        return None
    return replace(record, response=other.response)


def _cut(record: InstructionRecord, _: InstructionRecord) -> InstructionRecord | None:
    words = record.response.split(" ")
    if len(record.response) < SHORTEST or len(words) < 8:  # noqa: PLR2004  # fewer words leave no sentence to cut
        return None
    return replace(record, response=" ".join(words[: len(words) // 2]).rstrip(".,;:!?") + " and")


def _contradicted(record: InstructionRecord, other: InstructionRecord) -> InstructionRecord | None:
    """Ask for something else: the response stays, and answers nothing that was asked."""
    if record.instruction == other.instruction:
        return None
    return replace(record, instruction=other.instruction, context=other.context)


SPOILERS: Mapping[str, Spoiler] = {
    "answered_elsewhere": _answered_elsewhere,
    "cut": _cut,
    "asked_elsewhere": _contradicted,
}
"""Kind of defect → how it is made."""


def spoil(rows: Rows, n: int, seed: int) -> list[dict[str, Any]]:
    """Return `n` spoilt records as rows for a draw, the kinds in turn; fewer where there are too few records."""
    records = (_record(rows, pos) for pos in rows.shuffled("kept", seed))
    spoilt = (_spoilt(one, other, turn) for turn, (one, other) in enumerate(pairwise(records)))
    unlike = (one for one in spoilt if one is not None and canary_item(one).sha256 not in rows.places)
    return list(islice(unlike, n))


def _spoilt(record: InstructionRecord, other: InstructionRecord, turn: int) -> dict[str, Any] | None:
    """Return a record with the defect whose turn it is, or with the next one that would show."""
    kinds = list(SPOILERS)
    for kind in (kinds[(turn + at) % len(kinds)] for at in range(len(kinds))):
        spoilt = SPOILERS[kind](record, other)
        if spoilt is not None:
            return {"kind": kind, "of": record.id, **_texts(spoilt)}
    return None


def _record(rows: Rows, pos: int) -> InstructionRecord:
    outcome = rows.at(pos).outcome
    assert isinstance(outcome, InstructionRecord)
    return outcome


def _texts(record: InstructionRecord) -> dict[str, str]:
    names = ("instruction", "context", "response", "category")
    return {name: getattr(record, name) for name in names}


def plant(desk_rows: Rows, board: Board, n: int, seed: int) -> list[dict[str, Any]]:
    """Return as many spoilt records as are missing to `n`."""
    return spoil(desk_rows, n, seed)[len(board.drawn(CANARIES)) :]


def canary_item(row: Mapping[str, Any]) -> Item:
    """Return a drawn canary as a row that looks like any other."""
    names = ("instruction", "context", "response", "category")
    record = InstructionRecord(**{name: row[name] for name in names})
    return Item(
        pos=-1,
        id=record.id,
        sha256=sha256_of([record.instruction, record.context, record.response]),
        fate="kept",
        step=0,
        stage="",
        language="",
        words=sum(len(row[name].split()) for name in names[:3]),
        doubt=0.0,
        outcome=record,
    )


def canary_places(items: Sequence[Item], among: int) -> Iterator[tuple[int, Item]]:
    """Yield where each canary goes among so many records; the place depends on its text alone."""
    for item in items:
        yield int.from_bytes(hashlib.sha256(item.sha256.encode()).digest()[:8]) % (among + 1), item


def canary_hashes(drawn: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Return the hashes that decisions about canaries are keyed on."""
    return frozenset(canary_item(row).sha256 for row in drawn)


def canary_score(board: Board, reviewer: str) -> tuple[int, int]:
    """Return how many canaries a reviewer decided about, and how many of those they found fault with."""
    said = [board.last(name, ("accept", reviewer)) for name in canary_hashes(board.drawn(CANARIES))]
    decided = [one for one in said if one is not None and one.action in ("accept", *FAULT)]
    return len(decided), sum(one.action in FAULT for one in decided)
