"""Two reviewers on the same rows: where they agree, and what is to be settled between them."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from curation.review.board import Board
from curation.review.canaries import CANARIES, canary_score
from curation.review.differing import differing, settled
from curation.review.events import DECIDING, FAULT, Event
from curation.review.reliability import Table, krippendorff_alpha, table_of
from curation.review.statistics import interval

FIRST = ("hunt", "accept")
"""Queues in which a first reviewer decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """What two reviewers decided about one row, neither having seen the other's decision."""

    row_sha256: str
    first: Event
    second: Event


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


def disputed(board: Board, settled_by: str = "") -> list[str]:
    """Return the rows on which reviewers differ and that nobody has settled; also those that `settled_by` has."""
    final = ((row, settled(board.about(row))) for row in differing(board))
    return [row for row, act in final if act is None or act.reviewer == settled_by]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharpness:
    """How many of the records that were spoilt on purpose a reviewer saw."""

    reviewer: str
    shown: int
    caught: int
    low: float
    high: float
    """Two-sided 95 % interval of the share that is caught."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """How far reviewers agree, and how sharp they are."""

    table: Table
    observed: float | None
    """Share of rows on which they agree; None where nobody looked twice."""
    kappa: float | None
    """None where chance alone agrees on all."""
    kappa_low: float | None
    kappa_high: float | None
    alpha: float | None
    on_rejects: float | None
    """Of all faults found, the share that both found."""
    disputed: int
    """Rows on which reviewers differ, in whatever queues they decided: also two faults that are not the same."""
    settled: int
    """Those of them that somebody settled."""
    canaries: tuple[Sharpness, ...] = ()


def agreed(board: Board) -> Agreed:
    """Return how far the first and the second reviewers agree: a fault is a rejection or a correction."""
    both = list(pairs(board))
    said = [(pair.first.action in FAULT, pair.second.action in FAULT) for pair in both]
    table = table_of(said)
    low, high = table.kappa_interval()
    words = [("fault" if one else "fine", "fault" if other else "fine") for one, other in said]
    apart = list(differing(board))
    return Agreed(
        table=table,
        observed=_known(table.observed),
        kappa=_known(table.kappa),
        kappa_low=_known(low),
        kappa_high=_known(high),
        alpha=_known(krippendorff_alpha(words)),
        on_rejects=_known(table.on_rejects),
        disputed=len(apart),
        settled=sum(settled(board.about(row)) is not None for row in apart),
        canaries=tuple(_sharpness(board)),
    )


def _sharpness(board: Board) -> Iterator[Sharpness]:
    if not board.drawn(CANARIES):
        return
    for reviewer in sorted({event.reviewer for event in board.standing() if event.queue == "accept"}):
        shown, caught = canary_score(board, reviewer)
        if shown:
            low, high = interval(caught, shown, 0.95)
            yield Sharpness(reviewer=reviewer, shown=shown, caught=caught, low=low, high=high)


def _known(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)
