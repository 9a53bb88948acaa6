"""The store of decisions: events are appended, and nothing is ever changed or taken out.

    DIR.review/decisions.sqlite

One transaction an act, flushed to disk (`synchronous=FULL`) before it is acknowledged. Each event is chained to the
one before it by a hash, so that a changed, missing or reordered event is found. Several processes may use one store:
SQLite lets one write at a time, the others wait.
"""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Self

from curation.review.events import Event, event_row, read_event
from schemas.codec import canonical, loads, sha256_of
from schemas.errors import InputError

FILE = "decisions.sqlite"
GENESIS = "0" * 64
"""What the first event is chained to."""
WAIT_S = 30.0
"""Seconds that a writer waits for another one."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
  seq INTEGER PRIMARY KEY,
  event_id TEXT NOT NULL UNIQUE,
  body TEXT NOT NULL,
  hash TEXT NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS events_stay BEFORE UPDATE ON events
  BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER IF NOT EXISTS events_remain BEFORE DELETE ON events
  BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;
"""


def review_beside(step: Path) -> Path:
    """Return where the review of a step directory stands: beside it, because people's work outlives a step."""
    step = step.resolve()
    return step.parent / f"{step.name}.review"


class Store:
    """The events on disk."""

    def __init__(self, folder: Path) -> None:
        """Open the store in `folder`, making it where there is none.

        Raises:
            InputError: the file there is not one of ours.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / FILE
        self._db = sqlite3.connect(self.path, timeout=WAIT_S, isolation_level=None, check_same_thread=False)
        try:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(_SCHEMA)
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise InputError(place=self.path, expected="a store of decisions", found=str(error)) from error

    def __enter__(self) -> Self:
        """Return the store, which is closed at the end."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close the file; every acknowledged event is on disk already."""
        self._db.close()

    def append(self, *events: Event) -> None:
        """Write events in one stroke; when this returns they are on disk."""
        with self._writing():
            self._chain(events)

    def merge(self, events: Iterable[Event]) -> int:
        """Append the events that are not here yet, in order of their ids; return how many they were."""
        with self._writing():
            known = {name for (name,) in self._db.execute("SELECT event_id FROM events")}
            fresh = sorted((one for one in events if one.event_id not in known), key=lambda one: one.event_id)
            self._chain(fresh)
        return len(fresh)

    def after(self, seq: int = 0) -> Iterator[tuple[int, Event]]:
        """Yield the events that follow number `seq`, in the order they were written, each with its number."""
        rows = self._db.execute("SELECT seq, body FROM events WHERE seq > ? ORDER BY seq", (seq,)).fetchall()
        for number, body in rows:
            yield number, _event(body, f"{self.path}: event {number}")

    def events(self) -> list[Event]:
        """Return all events in the order they were written."""
        return [event for _, event in self.after()]

    def head(self) -> str:
        """Return the hash of the last event, which stands for all of them."""
        found = self._db.execute("SELECT hash FROM events ORDER BY seq DESC LIMIT 1").fetchone()
        return found[0] if found else GENESIS

    def holds(self, head: str) -> bool:
        """Say whether an event had this hash: then all events up to it are those of when it was the last."""
        return (
            head == GENESIS or self._db.execute("SELECT 1 FROM events WHERE hash = ?", (head,)).fetchone() is not None
        )

    def damage(self) -> list[str]:
        """Return a sentence for the first event that is not as it was written, and for a file that is damaged."""
        found = [line for (line,) in self._db.execute("PRAGMA integrity_check") if line != "ok"]
        before = GENESIS
        rows = self._db.execute("SELECT seq, body, hash FROM events ORDER BY seq")
        for place, (seq, body, written) in enumerate(rows, 1):
            before = _link(before, body)
            if seq != place:
                return [*found, f"event {place} is missing"]
            if before != written:
                return [*found, f"event {place} is not the one that was written"]
        return found

    def _chain(self, events: Iterable[Event]) -> None:
        last = self._db.execute("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1").fetchone()
        seq, before = last or (0, GENESIS)
        for event in events:
            seq, body = seq + 1, canonical(event_row(event)).decode()
            before = _link(before, body)
            self._db.execute("INSERT INTO events VALUES (?, ?, ?, ?)", (seq, event.event_id, body, before))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Hold the write lock, and commit or undo everything at once."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def read_store(folder: Path) -> list[Event]:
    """Return all events of the store in `folder`; none where there is no store.

    Raises:
        InputError: the file there is not one of ours.
    """
    if not (folder / FILE).is_file():
        return []
    with closing(Store(folder)) as store:
        return store.events()


def _link(before: str, body: str) -> str:
    return hashlib.sha256(f"{before}{body}".encode()).hexdigest()


def _event(body: str, place: str) -> Event:
    row = loads(body)
    return read_event({**row, "sha256": sha256_of(row)}, place)
