"""How far a long command has come: a bar on a terminal, plain lines elsewhere, JSON events for programs."""

import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TextIO

import orjson
from tqdm import tqdm

Mode = Literal["bar", "plain", "json"]

BAR_AFTER_S = 0.5
"""Seconds of work before a bar appears: short work shows none."""
NARROW = 60
"""Columns of a terminal below which the bar itself makes room for the words."""
IN_WORDS = "{desc}: {n_fmt}/{total_fmt} [{remaining}]{postfix}"
PLAIN_EVERY_S = 10.0
"""Seconds between two plain lines of one kind of work."""


def choose_mode(*, json: bool = False, plain: bool = False, stream: TextIO | None = None) -> Mode:
    """Return how to show progress: what was asked for, else a bar on a terminal and plain lines elsewhere."""
    if json:
        return "json"
    stream = stream or sys.stderr
    return "plain" if plain or not stream.isatty() else "bar"


@dataclass(slots=True)
class Progress:
    """An aside that shows progress on a stream and keeps nothing else."""

    mode: Mode = "plain"
    stream: TextIO = field(default_factory=lambda: sys.stderr)
    clock: Callable[[], float] = time.monotonic
    _what: str = ""
    _started: float = 0.0
    _said: float = 0.0
    _bar: Any = None
    _viewed: float = float("-inf")
    _stopping: bool = False
    _dropped: int = 0

    def leave(self, name: str, row: Mapping[str, Any]) -> None:
        """Keep nothing: rows are for step directories."""

    def progress(self, what: str, done: int, total: int | None = None, note: str = "") -> None:
        """Show that `done` of `total` units of `what` are finished, and how it goes."""
        if what != self._what:
            self._begin(what)
        finished = total is not None and done >= total
        if self.mode == "bar":
            self._draw(what, done, total, note)
        elif finished or self.clock() - self._said >= PLAIN_EVERY_S:
            self._say(what, done, total, note)
        if finished:
            self.close()

    def watch(self, view: Mapping[str, Any]) -> None:
        """Show how a work stands to programs, now and then; what is news to people is said to everyone, once."""
        news = list(self._news(view))
        if self.mode == "json" and (news or self.clock() - self._viewed >= PLAIN_EVERY_S):
            self._viewed = self.clock()
            self.stream.write(orjson.dumps({"event": "state", **view}).decode() + "\n")
        elif self.mode != "json":
            self.stream.writelines(f"{line}\n" for line in news)
        self.stream.flush()

    def _news(self, view: Mapping[str, Any]) -> Iterator[str]:
        """Yield what was not said yet: who is asked no more, and that the run is being stopped."""
        dropped = view.get("dropped", ())
        yield from (f"dropped: {said}" for said in dropped[self._dropped :])
        if view.get("stopping") and not self._stopping:
            yield f"stopping: waiting for {view.get('under_way')} requests under way; Ctrl-C again stops at once"
        self._stopping, self._dropped = bool(view.get("stopping")), len(dropped)

    def say(self, line: str) -> None:
        """Print a line of news above the bar; nothing where programs read, which get events."""
        if self.mode == "bar":
            tqdm.write(line, file=self.stream)
        elif self.mode == "plain":
            self.stream.write(f"{line}\n")
            self.stream.flush()

    def close(self) -> None:
        """Finish the bar, leaving the terminal on a new line."""
        if self._bar is not None:
            self._bar.close()
        self._bar, self._what = None, ""

    def _begin(self, what: str) -> None:
        self.close()
        self._what, self._started = what, self.clock()
        self._said = self._started

    def _draw(self, what: str, done: int, total: int | None, note: str) -> None:
        if self._bar is None:
            self._bar = tqdm(
                desc=what, total=total, file=self.stream, leave=True, delay=BAR_AFTER_S, dynamic_ncols=True
            )
        self._bar.total = total
        self._bar.bar_format = IN_WORDS if shutil.get_terminal_size().columns < NARROW else None
        self._bar.set_postfix_str(note, refresh=False)
        self._bar.update(done - self._bar.n)

    def _say(self, what: str, done: int, total: int | None, note: str) -> None:
        seconds = self.clock() - self._started
        self._said = self.clock()
        if self.mode == "json":
            event = {"event": "progress", "what": what, "done": done, "total": total, "seconds": round(seconds, 1)}
            event |= {"note": note} if note else {}
            self.stream.write(orjson.dumps(event).decode() + "\n")
        elif seconds >= BAR_AFTER_S:
            of = "" if total is None else f" of {total:,}"
            self.stream.write(f"{what}: {done:,}{of} in {seconds:.0f} s{f' ({note})' if note else ''}\n")
        self.stream.flush()
