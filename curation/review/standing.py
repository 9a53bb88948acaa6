"""Where a review stands, in numbers."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from curation.review.desk import Desk
from curation.review.events import Queue
from curation.review.queues import QUEUES


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStanding:
    """How far everybody has come in one queue."""

    queue: Queue
    words: str
    total: int
    done: int
    """Rows this reviewer settled."""
    actions: Mapping[str, int]
    """What this reviewer did, by action."""
    reasons: Mapping[str, int]
    others: Mapping[str, int]
    """Rows that other reviewers settled, by name."""


def standing(desk: Desk) -> list[QueueStanding]:
    """Return every queue that has rows, and those that every review has."""
    found = [_queue_standing(desk, name) for name in QUEUES]
    return [one for one in found if one.total or one.queue in ("hunt", "accept")]


def _queue_standing(desk: Desk, name: Queue) -> QueueStanding:
    events = (event for event in desk.board.standing() if event.queue == name and desk.counts(event))
    last = {(event.reviewer, event.row_sha256): event for event in events}
    mine = [event for (reviewer, _), event in last.items() if reviewer == desk.reviewer]
    return QueueStanding(
        queue=name,
        words=QUEUES[name],
        total=len(desk.queue(name)),
        done=desk.done(name),
        actions=dict(Counter(event.action for event in mine).most_common()),
        reasons=dict(Counter(code for event in mine for code in event.reasons).most_common()),
        others=dict(Counter(reviewer for reviewer, _ in last if reviewer != desk.reviewer)),
    )
