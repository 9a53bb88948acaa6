"""Looking on while a run makes records: speeds, shares, events for programs, and Ctrl-C."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from curation.generate.budget import Purse
from curation.generate.journal import ANSWERS, open_journal
from curation.generate.spending import Tokens
from curation.generate.watch import Watch
from curation.mock.serve import Running, serving
from curation.mock.service import MockEndpoint
from schemas.outcome import SILENT, reject
from schemas.record import Reason
from tests.support import ROOT, pair


def test_speeds_are_of_late() -> None:
    """Tokens of answers and records a second over the last while, and the time that is left at that speed."""
    now = [0.0]
    purse = Purse()
    watch = Watch(n=100, purse=purse, aside=SILENT, clock=lambda: now[0])
    watch.view()
    for _ in range(10):
        now[0] += 1
        watch.note(pair())
        watch.note(reject(pair(), Reason(code="answer_empty")))
        purse.spending.reported = purse.spending.reported.plus(Tokens(1_000, 50))
    view = watch.view()

    assert (view["kept"], view["rows"], view["acceptance"]) == (10, 20, 0.5)
    assert (view["tokens_per_s"], view["seconds_left"]) == (50.0, 90)
    assert view["reasons"] == {"answer_empty": 10}
    assert view["last"]["instruction"] == pair().instruction
    now[0] += 60
    assert watch.view()["seconds_left"] is None


def start(running: Running, output: Path, *options: str, **streams: int) -> "subprocess.Popen[bytes]":
    """Start the command as a process that heeds Ctrl-C."""
    words = [
        "generate",
        "-n",
        "40",
        "-o",
        str(output),
        "--base-url",
        running.address,
        "--model",
        "mock",
        "--output-form",
        "list",
        *options,
    ]
    process: subprocess.Popen[bytes] = subprocess.Popen(
        [sys.executable, "-m", "curation.cli", *words],
        cwd=ROOT,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509  # one thread here
        **streams,  # type: ignore[call-overload]  # streams by name
    )
    return process  # fmt: skip


def until(true: Callable[[], bool]) -> None:
    """Wait until something is so."""
    while not true():
        time.sleep(0.01)


def pressed(process: "subprocess.Popen[bytes]") -> bytes:
    """Press Ctrl-C as people do, again and again until it ends; return what it said."""
    while True:
        process.send_signal(signal.SIGINT)
        try:
            return process.communicate(timeout=2)[1]
        except subprocess.TimeoutExpired:
            continue


def under_way(running: Running) -> bool:
    """Say whether requests have come in."""
    return running.service.ledger.requests >= 4


def rows(folder: Path, kind: str) -> int:
    """Count the rows of a kind in a journal."""
    return (folder / ANSWERS).read_bytes().count(b'{"t":"%b"' % kind.encode())


def test_the_first_ctrl_c_waits_for_what_is_under_way(tmp_path: Path) -> None:
    """It says so; what was asked is answered and in the journal; exit 130; the next run goes on."""
    with serving(MockEndpoint(latency_s=0.7)) as running:
        process = start(running, tmp_path / "1", "--plain", "--concurrency", "4", stderr=subprocess.PIPE)
        until(lambda: under_way(running))
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
        requests = running.service.ledger.requests

    journal = tmp_path / "1.journal"
    assert process.returncode == 130
    assert b"stopping: waiting for 4 requests under way; Ctrl-C again stops at once\n" in said
    assert b"interrupted; finished work is kept" in said
    assert rows(journal, "answer") == rows(journal, "request") == requests == 4
    assert not (tmp_path / "1").exists()


def test_the_second_ctrl_c_stops_at_once(tmp_path: Path) -> None:
    """Nobody waits; the journal says what may have been billed, and is whole."""
    with serving(MockEndpoint(faults={"hang": 1.0})) as running:
        process = start(running, tmp_path / "1", "--plain", "--concurrency", "4", stderr=subprocess.PIPE)
        until(lambda: under_way(running))
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        first = process.stderr.readline()
        rest = pressed(process)

    with open_journal(tmp_path / "1.journal") as journal:
        assert (journal.unanswered, journal.spending.lost) == (4, 4)
    assert b"stopping" in first
    assert b"Traceback" not in rest
    assert process.returncode == 130


@contextmanager
def terminal() -> Iterator[tuple[int, int]]:
    """Open a pseudo-terminal; yields our end and its end."""
    ours, its = pty.openpty()
    try:
        yield ours, its
    finally:
        os.close(ours)


def test_a_terminal_gets_a_screen(tmp_path: Path) -> None:
    """It is drawn on a real one, and the step's summary comes after it."""
    with serving(MockEndpoint(latency_s=0.05)) as running, terminal() as (ours, its):
        process = start(running, tmp_path / "1", "--budget", "1Mtok", stdout=its, stderr=its)
        os.close(its)
        said = b""
        try:
            while piece := os.read(ours, 65_536):
                said += piece
        except OSError:  # what Linux says when the other end is closed
            pass
        process.wait()

    text = said.decode()
    assert process.returncode == 0
    assert "40 of 40 records" in text
    assert re.search(r"tokens; budget 1,000,000 tokens", text)
    assert "\x1b[?7l" in text
    assert text.rindex("\x1b[?7h") < text.index("generate: ")


def test_programs_read_events(tmp_path: Path) -> None:
    """With --json each line of stderr is an event or words, and states hold what the screen shows."""
    with serving(MockEndpoint()) as running:
        process = start(running, tmp_path / "1", "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, err = process.communicate()

    events = [json.loads(line) for line in err.splitlines() if line.startswith(b"{")]
    states = [event for event in events if event["event"] == "state"]
    assert states
    assert {"kept", "tokens_per_s", "tokens", "budget", "acceptance", "last"} <= set(states[0])
    assert [event["spent"]["answers"] for event in events if event["event"] == "run"] == [
        running.service.ledger.requests
    ]
    assert json.loads(out)["counts"]["kept"] == 40


def test_an_interrupt_leaves_a_journal_that_goes_on(tmp_path: Path) -> None:
    """Stopped at any moment and started again: the same records as without."""
    with serving(MockEndpoint(latency_s=0.1)) as running:
        process = start(running, tmp_path / "1", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: running.service.ledger.requests >= 20)
        process.send_signal(signal.SIGINT)
        process.wait()
        before = running.service.ledger.requests
        again = start(running, tmp_path / "1", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        again.wait()
        start(running, tmp_path / "2", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).wait()

    assert (process.returncode, again.returncode) == (130, 0)
    assert rows(tmp_path / "1.journal", "request") == rows(tmp_path / "1.journal", "answer") > before
    assert (tmp_path / "1" / "records.jsonl").read_bytes() == (tmp_path / "2" / "records.jsonl").read_bytes()
