"""What counts of all that was done about a row, and whether those who did it differ.

What becomes of a record and what waits in the queue *adjudicate* follow from the same: else a record would stay
undecided that nobody is asked about.
"""

from collections.abc import Iterable, Iterator

from curation.review.board import Board, seat_of
from curation.review.canaries import CANARIES, canary_hashes
from curation.review.events import DECIDING, FAULT, Event


def each_said(acts: Iterable[Event]) -> list[Event]:
    """Return what each reviewer decided: the last act in each queue, and of those a fault before an acceptance.

    Who corrected a record in the hunt and accepts it where it is measured has not taken the correction back.
    """
    own = (act for act in acts if act.queue != "adjudicate")
    last = [act for act in {seat_of(act): act for act in own}.values() if act.action in DECIDING]
    by_weight = sorted(last, key=lambda act: (act.action in FAULT, act.event_id))
    return list({act.reviewer: act for act in by_weight}.values())


def settled(acts: Iterable[Event]) -> Event | None:
    """Return what a row was settled to; None where nobody has settled it."""
    found = [act for act in acts if act.queue == "adjudicate" and act.action in DECIDING]
    return found[-1] if found else None


def differ(decisions: Iterable[Event]) -> bool:
    """Say whether they come to different things: also a rejection and a correction, or corrections to other texts."""
    return len({(act.action, tuple(sorted(act.texts.items()))) for act in decisions}) > 1


def differing(board: Board) -> Iterator[str]:
    """Yield the rows on which reviewers differ, settled or not, in the order of the last decisions about them."""
    canaries = canary_hashes(board.drawn(CANARIES))
    people: dict[str, set[str]] = {}
    for act in board.standing():
        if act.queue != "adjudicate" and act.row_sha256 not in canaries:
            who = people.pop(act.row_sha256, set())
            people[act.row_sha256] = who | {act.reviewer}
    yield from (row for row, who in people.items() if len(who) > 1 and differ(each_said(board.about(row))))
