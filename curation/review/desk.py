"""A desk: one reviewer with the rows, the queues and the store. What the screens and the commands do, it does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from curation.review.board import Board, Seat
from curation.review.defects import DEFECTS, severity_of
from curation.review.events import Action, Event, Queue, new_id, now
from curation.review.planned import Planned
from curation.review.queues import MEASURING, Seating, Ticket, queue_tickets
from curation.review.rows import Item, Rows
from curation.review.store import Store
from schemas.chain import Chain
from schemas.directory import version
from schemas.errors import InputError
from schemas.record import TEXT_FIELDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What a reviewer does about a row."""

    action: Action
    reasons: tuple[str, ...] = ()
    severity: str = ""
    note: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)
    ms: int | None = None


class Desk:
    """One reviewer at work."""

    def __init__(self, chain: Chain, rows: Rows, store: Store, planned: Planned) -> None:
        self.chain, self.rows, self.store, self._planned = chain, rows, store, planned
        self.seating = planned()
        self.board = Board()
        self._seq = 0
        self._queues: dict[Queue, list[Ticket]] = {}
        self._numbers: dict[Queue, dict[str, int]] = {}
        self._blind: bool | None = None
        self.refresh()

    @property
    def reviewer(self) -> str:
        """The name that decisions are signed with."""
        return self.seating.reviewer

    def seat(self, queue: Queue) -> Seat:
        """Return this reviewer's seat at a queue."""
        return queue, self.reviewer

    def refresh(self) -> None:
        """Take in what other processes have written: decisions, and a plan."""
        self._follow(self._planned())
        for seq, event in self.store.after(self._seq):
            self.board.add(event)
            self._seq = seq
            self._forget_what_moves()

    def _follow(self, seating: Seating) -> None:
        """Lay the queues out again where another plan drew other rows."""
        if seating is not self.seating:
            self.seating = seating
            self._queues.clear()
            self._numbers.clear()
            self._forget_what_moves()

    def _forget_what_moves(self) -> None:
        self._blind = None
        self._queues.pop("adjudicate", None)
        self._numbers.pop("adjudicate", None)

    def queue(self, name: Queue) -> list[Ticket]:
        """Return the rows of a queue in its order, which does not change while one works."""
        if name == "adjudicate" and self.blind:
            return []  # what is disputed would tell what the other decided
        if name not in self._queues:
            self._queues[name] = queue_tickets(name, self.rows, self.board, self.seating)
        return self._queues[name]

    @property
    def blind(self) -> bool:
        """Say whether this reviewer is still to decide, blind, about what others decided about."""
        if self._blind is None:
            self._blind = self.next_open("second") is not None or self._measures_again()
        return self._blind

    def _measures_again(self) -> bool:
        """Say whether this reviewer has begun to measure, and what others measured is still open to them.

        The gate takes whoever measures a record later for its second reviewer, also without --second. Who has not begun
        may settle what others differ on, and who stops early is not kept from it by rows that nobody else measured.
        """
        mine = self.board.decided(self.seat("accept"))
        if all(self.number_of("accept", row) is None for row in mine):
            return False
        others = (act for act in self.board.standing() if act.queue in MEASURING and act.reviewer != self.reviewer)
        rows = {act.row_sha256 for act in others}
        return any(self.number_of("accept", row) is not None and self.last("accept", row) is None for row in rows)

    def item(self, ticket: Ticket) -> Item:
        """Return the row that a ticket stands for."""
        return ticket.canary or self.rows.at(ticket.pos)

    def next_open(self, name: Queue, after: int = 0) -> int | None:
        """Return the number (from 1) of the next undecided row behind `after`, going round once; None: all are done."""
        tickets = self.queue(name)
        numbers = [*range(after, len(tickets)), *range(min(after, len(tickets)))]
        return next((at + 1 for at in numbers if self.last(name, tickets[at].sha256) is None), None)

    def number_of(self, queue: Queue, sha256: str) -> int | None:
        """Return the number (from 1) of a row in a queue; None where it does not stand there."""
        if queue not in self._numbers:
            self._numbers[queue] = {ticket.sha256: at for at, ticket in enumerate(self.queue(queue), 1)}
        return self._numbers[queue].get(sha256)

    def last(self, queue: Queue, sha256: str) -> Event | None:
        """Return what this reviewer last did about a row of a queue; None, too, where it does not count."""
        last = self.board.last(sha256, self.seat(queue))
        return last if last is not None and self.counts(last) else None

    def counts(self, event: Event) -> bool:
        """Say whether an act counts in its queue: what a plan drew is asked again if it was not decided for that plan.

        The gate counts no other decision; so neither do the screens: else nothing is left here and all is open there.
        """
        if event.queue != "accept" or event.plan == self.seating.plan or not self.seating.plan:
            return True
        number = self.number_of("accept", event.row_sha256)
        return number is not None and self.queue("accept")[number - 1].canary is not None

    def done(self, name: Queue) -> int:
        """Return how many rows of a queue this reviewer settled."""
        decided = (row for row in self.board.decided(self.seat(name)) if self.last(name, row) is not None)
        return sum(self.number_of(name, row) is not None for row in decided)

    def decide(self, queue: Queue, item: Item, act: Act, *, shown_sha256: str = "", batch: str = "") -> Event:
        """Write down what the reviewer does about a row; when this returns it is on disk.

        Raises:
            InputError: an act that cannot be meant.
        """
        event = self._event(queue, item, check_act(item, act), shown_sha256, batch)
        self._write(event)
        return event

    def decide_all(self, items: Sequence[Item], act: Act) -> str:
        """Do the same about many rows in one stroke, which one undo takes back; return the stroke's name."""
        return self.stroke([(item, act) for item in items])

    def stroke(self, acts: Sequence[tuple[Item, Act]]) -> str:
        """Do something about each of several rows at once, which one undo takes back; return the stroke's name."""
        batch = new_id()
        self._write(*(self._event("hunt", item, check_act(item, act), "", batch) for item, act in acts))
        return batch

    def undo(self) -> Event | None:
        """Take back the reviewer's last act (all of it, if it was about many rows); return it, or None."""
        last = self.board.undoable(self.reviewer)
        if last is not None:
            self._write(self._signed(action="undo", queue=last.queue, undoes=last.batch or last.event_id))
        return last

    def draw(self, name: str, rows: Sequence[Any], seed: int) -> None:
        """Write down what was drawn, so that it stays drawn."""
        if rows:
            self._write(self._signed(action="draw", draw={"name": name, "seed": seed, "rows": list(rows)}))

    def _write(self, *events: Event) -> None:
        self.store.append(*events)
        self.refresh()

    def _event(self, queue: Queue, item: Item, act: Act, shown_sha256: str, batch: str) -> Event:
        return self._signed(
            action=act.action,
            queue=queue,
            row_id=item.id,
            row_sha256=item.sha256,
            plan=self.seating.plan_of(queue, item.id),
            fate=item.fate,
            reasons=act.reasons,
            severity=act.severity or severity_of(act.reasons),
            note=act.note,
            texts=act.texts,
            ms=act.ms,
            shown_sha256=shown_sha256,
            batch=batch,
        )

    def _signed(self, **what: Any) -> Event:
        return Event(
            event_id=new_id(),
            at=now(),
            reviewer=self.reviewer,
            dataset_sha256=self.chain.last.records_file.sha256,
            version=version(),
            **what,
        )


def check_act(item: Item, act: Act) -> Act:
    """Return the act, without what does not belong to it.

    Raises:
        InputError: an unknown reason, a reject without one, an edit of nothing, or of a rejected row.
    """
    place = f"row {item.id}"
    for code in act.reasons:
        if code not in DEFECTS:
            raise InputError(place=place, field="reason", expected=f"one of {', '.join(DEFECTS)}", found=code)
    if act.action == "reject" and item.fate == "kept" and not act.reasons:
        raise InputError(place=place, field="reason", expected="at least one", found="none")
    if act.action != "edit":
        return replace(act, texts={}, severity="")
    return replace(act, severity=act.severity or "major", texts=_edited(item, act, place))


def _edited(item: Item, act: Act, place: str) -> dict[str, str]:
    record = item.record
    if item.fate == "rejected" or record is None:
        raise InputError(place=place, field="action", expected="accept or reject of a rejected row", found="edit")
    own = {name: getattr(record, name) for name in TEXT_FIELDS}
    sent = {name: act.texts.get(name, text) for name, text in own.items()}
    texts = {name: text if sent[name] == _in_a_form(text) else sent[name] for name, text in own.items()}
    if texts == own:
        raise InputError(place=place, field="texts", expected="a changed text", found="the record's own texts")
    for name, text in texts.items():
        if "\0" in text or not (text.strip() or name == "context"):
            raise InputError(place=place, field=name, expected="text without NUL", found=repr(text[:40]))
    return texts


def _in_a_form(text: str) -> str:
    """Return a text as a form sends it back untouched, which knows one line break."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
