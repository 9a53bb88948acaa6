"""The order in which rows are looked at. Hunting and measuring never share a queue, nor a count."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from curation.review.agreement import disputed
from curation.review.board import Board
from curation.review.canaries import CANARIES, canary_item, canary_places
from curation.review.events import Queue
from curation.review.rows import Item, Rows
from curation.review.since import Since
from schemas.hunt import Hunted

QUEUES: Final[Mapping[Queue, str]] = {
    "hunt": "The worst first, to make the data better.",
    "accept": "Drawn at random and shown without scores, to measure the data.",
    "drops": "Rejected rows drawn at random: was it right to drop them?",
    "second": "What another reviewer decided about, blind to the decision, to measure the reviewers.",
    "adjudicate": "What reviewers disagree on, with their decisions.",
}
"""Queue → what it is for."""

MEASURING: Final = ("accept", "second")
"""Queues whose decisions count for the plan."""

BLIND: Final = ("accept", "second")
"""Queues that show the record alone: whoever sees a score judges the score."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One place in a queue."""

    sha256: str
    pos: int = -1
    """The row's place in the index; -1 for a canary."""
    canary: Item | None = None
    """A record that was spoilt on purpose, which stands in no data set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seating:
    """Who sits down, and what they are to look at."""

    reviewer: str = "me"
    """The name their decisions are signed with."""
    n: int = 386
    """Records of the accept queue: the plan's, where there is one."""
    seed: int = 1
    """Names the shuffle of the accept and drops queues."""
    second: int = 0
    """Records that another reviewer decided about, to be decided about again, blind."""
    since: Since = field(default_factory=Since)
    """The last release, whose records are not looked at again."""
    plan: str = ""
    """Hash of the acceptance plan; empty where none was fixed, and then nothing that is found bounds anything."""
    drawn: tuple[str, ...] = ()
    """Ids that the plan drew, in its order."""
    hunt: tuple[Hunted, ...] = ()
    """Who else says what is worth a look, in which order: the hunt queue's; none: by what the checks said."""

    def plan_of(self, queue: Queue, row_id: str) -> str:
        """Return the plan that a decision counts for."""
        return self.plan if queue in MEASURING and row_id in self.drawn else ""


def queue_tickets(name: Queue, rows: Rows, board: Board, seating: Seating) -> list[Ticket]:
    """Return a queue's rows in order."""
    match name:
        case "hunt":
            return _since(seating, _tickets(rows, _hunted(rows, seating)))
        case "accept":
            return _with_canaries(_measured(rows, seating), board)
        case "drops":
            return _tickets(rows, rows.shuffled("rejected", seating.seed))
        case "second":
            return _named(rows, [str(row) for row in board.drawn(f"second:{seating.reviewer}")])
        case "adjudicate":
            return _named(rows, disputed(board, seating.reviewer))


def _hunted(rows: Rows, seating: Seating) -> list[int]:
    """Return the places of the kept records to hunt in; those of a hunt that stand here no more are left out."""
    if not seating.hunt:
        return rows.worst_first()
    found = (rows.called(one.id)[:1] for one in seating.hunt)
    return [item.pos for items in found for item in items if item.fate == "kept"]


def _measured(rows: Rows, seating: Seating) -> list[Ticket]:
    """Return what the plan drew; without a plan, a draw of our own."""
    if seating.plan:
        found = (rows.called(name)[:1] for name in seating.drawn)
        return [Ticket(pos=item.pos, sha256=item.sha256) for items in found for item in items]
    return _since(seating, _tickets(rows, rows.shuffled("kept", seating.seed)))[: seating.n]


def _since(seating: Seating, tickets: list[Ticket]) -> list[Ticket]:
    """Leave out what stood in the last release: a person has answered for it."""
    return [ticket for ticket in tickets if ticket.sha256[:16] not in seating.since.ids]


def _tickets(rows: Rows, places: list[int]) -> list[Ticket]:
    hashes = rows.hashes
    return [Ticket(pos=pos, sha256=hashes[pos]) for pos in places]


def _named(rows: Rows, names: list[str]) -> list[Ticket]:
    """Return the tickets of rows that are still there."""
    return [Ticket(pos=rows.places[name], sha256=name) for name in names if name in rows.places]


def _with_canaries(drawn: list[Ticket], board: Board) -> list[Ticket]:
    """Put the spoilt records among the drawn ones, where nobody expects them."""
    items = [canary_item(row) for row in board.drawn(CANARIES)]
    for place, item in canary_places(items, len(drawn)):
        drawn.insert(place, Ticket(sha256=item.sha256, canary=item))
    return drawn
