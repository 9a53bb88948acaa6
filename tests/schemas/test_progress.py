"""Progress: a bar on a terminal, plain lines elsewhere, JSON events for programs."""

import io
import json

from schemas.progress import Progress, choose_mode


def ticking(step_s: float = 1.0) -> "Clock":
    """Return a clock that advances at every look."""
    return Clock(step_s)


class Clock:
    """A clock that advances by a fixed step each time it is read."""

    def __init__(self, step_s: float) -> None:
        self.now, self.step_s = 0.0, step_s

    def __call__(self) -> float:
        """Return the time in seconds."""
        self.now += self.step_s
        return self.now


def test_plain_lines_come_now_and_then_and_at_the_end() -> None:
    """A log is not flooded: one line in ten seconds, and one when the work is finished."""
    out = io.StringIO()
    progress = Progress(mode="plain", stream=out, clock=ticking())

    for done in range(1, 31):
        progress.progress("embed", done, 30)

    lines = out.getvalue().splitlines()
    assert 2 <= len(lines) <= 5
    assert lines[-1].startswith("embed: 30 of 30 in")


def test_short_work_says_nothing() -> None:
    """Work under half a second needs no line."""
    out = io.StringIO()

    Progress(mode="plain", stream=out, clock=ticking(0.01)).progress("embed", 1, 1)

    assert out.getvalue() == ""


def test_json_events_carry_the_numbers() -> None:
    """A program can draw its own bar."""
    out = io.StringIO()

    Progress(mode="json", stream=out, clock=ticking()).progress("embed", 1, 1)

    event = json.loads(out.getvalue())
    assert (event["what"], event["done"], event["total"]) == ("embed", 1, 1)


def test_a_terminal_gets_a_bar() -> None:
    """The bar names the work and how far it is."""
    out = io.StringIO()
    progress = Progress(mode="bar", stream=out)

    progress.progress("embed", 1, 2)
    progress._bar.refresh()
    progress.progress("embed", 2, 2)

    assert "embed" in out.getvalue()


def test_the_mode_is_what_was_asked_for_else_what_the_stream_is() -> None:
    """A pipe gets plain lines without being asked."""
    assert choose_mode(json=True) == "json"
    assert choose_mode(plain=True) == "plain"
    assert choose_mode(stream=io.StringIO()) == "plain"


def test_an_endpoint_that_was_dropped_is_said_once() -> None:
    """In plain lines, when it happens; programs get an event at once."""
    plain, program = io.StringIO(), io.StringIO()
    for mode, stream in (("plain", plain), ("json", program)):
        shown = Progress(mode=mode, stream=stream, clock=lambda: 0.0)  # type: ignore[arg-type]  # a mode
        for dropped in ((), ("http://one: 401",), ("http://one: 401",)):
            shown.watch({"dropped": dropped})

    assert plain.getvalue() == "dropped: http://one: 401\n"
    assert [json.loads(line)["dropped"] for line in program.getvalue().splitlines()] == [[], ["http://one: 401"]]
