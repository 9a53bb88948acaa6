"""Two reviewers on the same rows: where they agree, and what is to be settled between them."""

from collections.abc import Iterator
from dataclasses import dataclass

from curation.review.board import Board
from curation.review.events import DECIDING, FAULT, Event

FIRST = ("hunt", "accept")
"""Queues in which a first reviewer decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """What two reviewers decided about one row, neither having seen the other's decision."""

    row_sha256: str
    first: Event
    second: Event

    @property
    def alike(self) -> bool:
        """Say whether both found fault, or neither did."""
        return (self.first.action in FAULT) == (self.second.action in FAULT)


def pairs(board: Board) -> Iterator[Pair]:
    """Yield the rows that two people decided about, in the order of the second decisions."""
    for second in list(board.standing()):
        if second.queue == "second" and board.last(second.row_sha256, (second.queue, second.reviewer)) is second:
            first = first_decision(board, second.row_sha256, second.reviewer)
            if first is not None and second.action in DECIDING:
                yield Pair(row_sha256=second.row_sha256, first=first, second=second)


def first_decision(board: Board, row_sha256: str, not_by: str) -> Event | None:
    """Return the last decision about a row that somebody else made in a first queue."""
    found = (one for one in reversed(board.about(row_sha256)) if one.queue in FIRST and one.reviewer != not_by)
    last = next(found, None)
    return last if last is not None and last.action in DECIDING else None


def disputed(board: Board) -> list[str]:
    """Return the rows of which one says that they are at fault and the other that they are not."""
    return list(dict.fromkeys(pair.row_sha256 for pair in pairs(board) if not pair.alike))
