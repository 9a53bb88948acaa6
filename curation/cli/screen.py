"""The screen of a long generation: a few lines at the bottom of the terminal that are drawn anew."""

import shutil
import sys
import time
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TextIO

from curation.visible import on_one_line

DRAW_EVERY_S = 0.1
BAR_MOST = 40
"""Columns of the bar."""
LABEL = 9
"""Columns before what is said."""
WIDE = ("W", "F")
"""Unicode's widths that take two columns."""
MARKS = ("Mn", "Me", "Cf")
"""Unicode categories that take none."""
UP, CLEAR, NO_WRAP, WRAP = "\x1b[{}A", "\x1b[2K", "\x1b[?7l", "\x1b[?7h"


@dataclass(slots=True)
class Screen:
    """An aside that draws how a generation stands."""

    stream: TextIO = field(default_factory=lambda: sys.stderr)
    clock: Callable[[], float] = time.monotonic
    size: Callable[[], tuple[int, int]] = lambda: tuple(shutil.get_terminal_size())  # type: ignore[assignment,return-value]  # a pair
    _drawn: int = 0
    """Lines that stand there."""
    _at: float = 0.0
    _seen: Mapping[str, Any] = field(default_factory=dict)

    def leave(self, name: str, row: Mapping[str, Any]) -> None:
        """Keep nothing."""

    def progress(self, what: str, done: int, total: int | None = None, note: str = "") -> None:
        """Show nothing: `watch` shows it, and more."""

    def watch(self, view: Mapping[str, Any]) -> None:
        """Draw, but not too often; that the run is being stopped is drawn at once."""
        now = self.clock()
        if now - self._at >= DRAW_EVERY_S or view["stopping"] != self._seen.get("stopping"):
            self._draw(view)
            self._at = now
        self._seen = view

    def close(self) -> None:
        """Draw the end, and leave it there."""
        if self._seen:
            self._draw(self._seen)

    def _draw(self, view: Mapping[str, Any]) -> None:
        columns, rows = self.size()
        shown = [cut(line, columns) for line in lines(view, columns)][: max(1, rows - 1)]
        up = UP.format(self._drawn) if self._drawn else ""
        body = "".join(f"{CLEAR}{line}\n" for line in shown)
        gone = max(0, self._drawn - len(shown))
        rest = f"{CLEAR}\n" * gone + (UP.format(gone) if gone else "")
        self.stream.write(f"{NO_WRAP}{up}\r{body}{rest}{WRAP}")
        self.stream.flush()
        self._drawn = len(shown)


def lines(view: Mapping[str, Any], columns: int) -> list[str]:
    """Return what is shown, a line each, not yet cut to the width."""
    shown = [
        _bar(view, columns),
        _said("speed", _speed(view)),
        _said("spent", _spent(view)),
        _said("kept", _kept(view)),
    ]
    if shares := view.get("shares"):
        shown.append(_said("shares", ", ".join(f"{name} {share:.0%}" for name, share in shares.items())))
    if last := view["last"]:
        shown.append(_said("last", on_one_line(last["instruction"])))
        shown.append(_said("", f"→ {on_one_line(last['response'])}"))
    if pushed := view.get("pushed"):
        shown.append(_said("snapshot", on_one_line(pushed)))
    shown += [_said("dropped", on_one_line(said)) for said in view.get("dropped", ())]
    if view["stopping"]:
        waits = f"waiting for {view['under_way']:,} requests under way; Ctrl-C again stops at once"
        shown.append(_said("stopping", waits if view["under_way"] else "nothing is under way any more"))
    return shown


def cut(text: str, columns: int) -> str:
    """Return a line that takes at most so many columns, with an ellipsis where it was longer."""
    if sum(map(_columns, text)) <= columns:
        return text
    used, kept = 0, []
    for char in text:
        used += _columns(char)
        if used > columns - 1:
            break
        kept.append(char)
    return "".join(kept) + "…"[: max(0, columns)]


def _columns(char: str) -> int:
    if char.isascii():
        return 1
    if unicodedata.category(char) in MARKS:
        return 0
    return 2 if unicodedata.east_asian_width(char) in WIDE else 1


def _said(label: str, text: str) -> str:
    return f"{label:{LABEL}}{text}"


def _bar(view: Mapping[str, Any], columns: int) -> str:
    done, n = view["kept"], view["n"]
    numbers = f" {done:,} of {n:,} records"
    width = max(0, min(BAR_MOST, columns - LABEL - len(numbers)))
    filled = width * done // n
    return _said("generate", "█" * filled + "░" * (width - filled) + numbers)


def _speed(view: Mapping[str, Any]) -> str:
    from curation.generate.budget import in_time

    left = view["seconds_left"]
    parts = (
        f"{view['tokens_per_s']:,.0f} tokens/s",
        f"{view['under_way']:,} under way",
        f"{in_time(view['seconds'])} so far",
        f"about {in_time(left)} left" if left is not None else "",
    )
    return ", ".join(part for part in parts if part)


def _spent(view: Mapping[str, Any]) -> str:
    from curation.generate.budget import in_usd

    tokens = f"{view['tokens']:,} tokens"
    spent = tokens if view["usd"] is None else f"{in_usd(Decimal(str(view['usd'])))}, {tokens}"
    return spent if view["budget"] == "none" else f"{spent}; budget {view['budget']}"


def _kept(view: Mapping[str, Any]) -> str:
    share = "" if view["acceptance"] is None else f"{view['acceptance']:.0%} of {view['rows']:,}"
    top = ", ".join(f"{code} {count:,}" for code, count in view["reasons"].items())
    return f"{share}{'; rejected: ' if top else ''}{top}" or "nothing yet"
