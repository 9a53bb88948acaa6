"""From what everybody did to what is to be done: one decision a row, a pure function of the events.

What was taken back does not count. Of one reviewer, the last act in a queue counts, and a fault found in one queue
outweighs an acceptance in another. Where reviewers differ, whoever
settled it between them decides; until somebody does, nothing is done, and the row is said to be disputed.
"""

from collections.abc import Iterable
from pathlib import Path

from curation.review.board import Board
from curation.review.canaries import CANARIES, canary_hashes
from curation.review.decisions import Decision, read_decisions
from curation.review.differing import differ, each_said, settled
from curation.review.events import DECIDING, Event, is_event, read_events
from curation.review.queues import MEASURING
from schemas.codec import loads

DISPUTED = "reviewers disagree, and nobody has settled it"


def decisions_in(path: Path) -> list[Decision]:
    """Read a file of decisions: one that `review export` wrote, or one that `review sample` wrote and a person edited.

    Raises:
        InputError: no such file, or lines that cannot be used.
    """
    return resolve(read_events(path)) if holds_events(path) else read_decisions(path)


def resolve(events: Iterable[Event]) -> list[Decision]:
    """Return what was decided about each row, in order of their ids; the order of the events does not matter."""
    board = Board.of(sorted(events, key=lambda one: one.event_id))
    canaries = canary_hashes(board.drawn(CANARIES))
    rows = dict.fromkeys(event.row_sha256 for event in board.standing() if event.row_sha256 not in canaries)
    found = (_resolved(board.about(row)) for row in rows)
    return sorted((one for one in found if one is not None), key=lambda one: one.id)


def measured(events: Iterable[Event], plan: str) -> tuple[list[Decision], list[Decision]]:
    """Return what a first and a second reviewer decided about the rows of a plan, each blind to the other.

    Whoever came first to a row is its first reviewer; of several seconds, the first of them counts.
    """
    board = Board.of(sorted(events, key=lambda one: one.event_id))
    said: dict[str, dict[str, Event]] = {}
    for act in board.standing():
        if act.plan == plan and act.queue in MEASURING:
            said.setdefault(act.row_sha256, {})[act.reviewer] = act
    decided = [[act for act in acts.values() if act.action in DECIDING] for acts in said.values()]
    first = [_decision(acts[0]) for acts in decided if acts]
    second = [_decision(acts[1]) for acts in decided if len(acts) > 1]
    return first, second


def _resolved(acts: list[Event]) -> Decision | None:
    """Return the decision about one row; None where nobody has decided."""
    final = settled(acts)
    if final is not None:
        return _decision(final)
    standing = each_said(acts)
    return _decision(standing[-1], disputed=differ(standing)) if standing else None


def _decision(act: Event, *, disputed: bool = False) -> Decision:
    return Decision(
        line=0,
        id=act.row_id,
        decision="" if disputed else act.action,
        note=DISPUTED if disputed else _note(act),
        severity=act.severity,
        reasons=act.reasons,
        texts=dict(act.texts),
        drawn={"fate": act.fate, "queue": act.queue, **({"plan": act.plan} if act.plan else {})},
    )


def _note(act: Event) -> str:
    reasons = ", ".join(act.reasons)
    return f"{reasons}: {act.note}" if reasons and act.note else reasons or act.note


def holds_events(path: Path) -> bool:
    """Say whether the first line of a file is an event."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        first = file.readline()
    try:
        row = loads(first)
    except ValueError:
        return False
    return isinstance(row, dict) and is_event(row)
