"""Where a review stands: all events folded into who decided what, with what was taken back left out."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self

from curation.review.events import DECIDING, Event, Queue

Seat = tuple[Queue, str]
"""A queue and a reviewer: whose decisions never overwrite those made elsewhere or by anybody else."""


@dataclass(slots=True)
class Board:
    """The events that stand, by row and by seat."""

    _events: dict[str, Event] = field(default_factory=dict)
    """All acts about rows that were not undone, by event id, oldest first."""
    _batches: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _rows: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _last: dict[Seat, dict[str, Event]] = field(default_factory=lambda: defaultdict(dict))
    """What each seat last did about each row."""
    _undone: set[str] = field(default_factory=set)
    """Events and batches that were taken back, also those that have not come in: merged stores know no order."""
    _draws: list[Event] = field(default_factory=list)

    @classmethod
    def of(cls, events: Iterable[Event]) -> Self:
        """Fold events, oldest first."""
        board = cls()
        for event in events:
            board.add(event)
        return board

    def add(self, event: Event) -> None:
        """Take in one more event."""
        if event.action == "undo":
            self._undone.add(event.undoes)
            for name in self._batches.pop(event.undoes, [event.undoes]):
                self._take_back(name)
        elif event.action == "draw":
            self._draws.append(event)
        elif self._undone.isdisjoint((event.event_id, event.batch)):
            self._events[event.event_id] = event
            self._rows[event.row_sha256].append(event.event_id)
            self._last[seat_of(event)][event.row_sha256] = event
            if event.batch:
                self._batches[event.batch].append(event.event_id)

    def standing(self) -> Iterator[Event]:
        """Yield the acts that stand, oldest first."""
        yield from self._events.values()

    def about(self, row_sha256: str) -> list[Event]:
        """Return the acts about one row that stand, oldest first."""
        return [self._events[name] for name in self._rows.get(row_sha256, ())]

    def last(self, row_sha256: str, seat: Seat) -> Event | None:
        """Return what a seat last did about a row."""
        return self._last[seat].get(row_sha256)

    def decided(self, seat: Seat) -> list[str]:
        """Return the rows that a seat settled."""
        return [row for row, last in self._last[seat].items() if last.action in DECIDING]

    def undoable(self, reviewer: str) -> Event | None:
        """Return the last act of a reviewer that stands."""
        return next((one for one in reversed(self._events.values()) if one.reviewer == reviewer), None)

    def drawn(self, name: str) -> list[Any]:
        """Return the rows of all draws of a name, in the order they were drawn: what is drawn stays drawn."""
        return [row for one in self._draws if one.draw.get("name") == name for row in one.draw["rows"]]

    def draws(self) -> tuple[Event, ...]:
        """Return all draws."""
        return tuple(self._draws)

    def _take_back(self, name: str) -> None:
        event = self._events.pop(name, None)
        if event is None:
            return
        row, seat = event.row_sha256, seat_of(event)
        self._rows[row].remove(name)
        self._last[seat].pop(row)
        for one in self.about(row):
            if seat_of(one) == seat:
                self._last[seat][row] = one


def seat_of(event: Event) -> Seat:
    """Return the seat that an event was made from."""
    return event.queue, event.reviewer
