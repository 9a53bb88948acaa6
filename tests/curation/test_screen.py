"""The screen: what it shows, what it can be made to show by a hostile record, and where it is too small."""

import io
import re
import unicodedata
from typing import Any

import pytest

from curation.cli.screen import Screen, cut, lines
from tests.hostile import HOSTILE

VIEW: dict[str, Any] = {
    "kept": 123, "n": 200, "rows": 228, "acceptance": 0.54, "reasons": {"instruction_not_novel": 40}, "seconds": 75.0,
    "seconds_left": 190, "tokens_per_s": 190.4, "tokens": 121_000, "usd": 0.0421, "budget": "$5.00, 30 min",
    "under_way": 8, "stopping": False,
    "last": {"category": "open_qa", "instruction": "Why does bread rise?", "response": "Yeast makes gas."},
}  # fmt: skip
CONTROL = re.compile(r"\x1b\[(?:\d*A|2K|\?7[lh])")


def drawn(*views: dict[str, Any], size: tuple[int, int] = (100, 24)) -> str:
    """Return what a screen of a size writes for views that come far enough apart."""
    stream, times = io.StringIO(), iter(range(1, 100))
    screen = Screen(stream=stream, clock=lambda: float(next(times)), size=lambda: size)
    for view in views:
        screen.watch(view)
    return stream.getvalue()


def test_it_shows_what_somebody_who_pays_wants_to_know() -> None:
    """Records, speed, time, money and its limit, acceptance, reasons, and the last record."""
    shown = "\n".join(lines(VIEW, 100))

    for words in (
        "123 of 200 records", "190 tokens/s", "8 under way", "about 3 min left", "$0.0421, 121,000 tokens",
        "budget $5.00, 30 min", "54% of 228", "instruction_not_novel 40", "Why does bread rise?", "→ Yeast makes gas.",
    ):  # fmt: skip
        assert words in shown


def test_at_the_beginning_nothing_is_known() -> None:
    """And nothing is made up."""
    start = VIEW | {
        "kept": 0,
        "rows": 0,
        "acceptance": None,
        "reasons": {},
        "seconds_left": None,
        "usd": None,
        "last": None,
    }
    shown = "\n".join(lines(start | {"budget": "none"}, 100))

    assert "nothing yet" in shown
    assert "$" not in shown
    assert "left" not in shown


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_record_is_only_text(text: str) -> None:
    """No escape sequence, control, line break or reordering of its own reaches the terminal."""
    view = VIEW | {"last": {"category": "", "instruction": text, "response": text}}
    written = CONTROL.sub("", drawn(view)).replace("\r", "", 1)

    assert written.count("\n") == 6
    assert not [char for char in written if char != "\n" and unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp")]


@pytest.mark.parametrize("columns", [1, 5, 20, 34, 80])
@pytest.mark.parametrize("text", ["plain words " * 20, "漢字" * 60, "é" * 90, "e\u0301" * 90])
def test_no_line_is_wider_than_the_terminal(columns: int, text: str) -> None:
    """Counted in columns: some characters take two, some none."""
    view = VIEW | {"last": {"category": "", "instruction": text, "response": text}}

    for line in lines(view, columns):
        shown = cut(line, columns)
        wide = sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in shown)
        assert wide - sum(unicodedata.category(char) == "Mn" for char in shown) <= columns


def test_a_low_terminal_shows_fewer_lines() -> None:
    """So that it never scrolls what it draws over."""
    assert drawn(VIEW, size=(80, 4)).count("\n") == 3


def test_it_draws_over_what_it_drew() -> None:
    """It goes up as many lines as there are, and clears those that are no longer needed."""
    shorter = VIEW | {"last": None}
    written = drawn(VIEW, shorter, VIEW)

    assert re.findall(r"\x1b\[(\d+)A", written) == ["6", "2", "4"]


def test_stopping_is_shown_at_once() -> None:
    """However lately it was drawn."""
    stream = io.StringIO()
    screen = Screen(stream=stream, clock=lambda: 1.0, size=lambda: (80, 24))
    screen.watch(VIEW)
    screen.watch(VIEW | {"kept": 124})
    before = stream.getvalue()
    screen.watch(VIEW | {"stopping": True})

    assert "124" not in before
    assert "waiting for 8 requests under way; Ctrl-C again stops at once" in stream.getvalue()


def test_an_endpoint_that_was_dropped_stays_on_the_screen() -> None:
    """In the endpoint's words, which are only text."""
    shown = lines(VIEW | {"dropped": ("http://one: 401: \x1b[2Jno",)}, 100)

    assert [line for line in shown if line.startswith("dropped") and "http://one: 401" in line]
    assert "\x1b" not in "".join(shown)
