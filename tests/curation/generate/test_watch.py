"""Looking on while a run makes records: speeds, shares, events for programs, and Ctrl-C."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Semaphore

from click.testing import CliRunner

from curation.cli import main
from curation.generate.budget import Purse
from curation.generate.journal import ANSWERS, open_journal
from curation.generate.spending import Tokens
from curation.generate.watch import Watch
from curation.mock.serve import serving
from curation.mock.service import MockEndpoint
from schemas.outcome import SILENT, reject
from schemas.record import Reason
from tests.curation.generate.scripted import spoken, told_server
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


class Gate:
    """Holds answers back until it is opened."""

    def __init__(self) -> None:
        self.opened, self._came = Event(), Semaphore(0)

    def __call__(self, messages: list[Mapping[str, str]]) -> tuple[str, str]:
        """Answer when it is open."""
        self._came.release()
        self.opened.wait()
        return spoken(messages)

    def wait_for(self, requests: int) -> None:
        """Wait until so many have come."""
        for _ in range(requests):
            self._came.acquire()


def words_of(address: str, output: Path, *options: str) -> list[str]:
    """Return the words of a command that makes twelve records."""
    words = ["generate", "-n", "12", "-o", str(output), "--base-url", address, "--model", "mock", "--concurrency", "4"]
    return [*words, "--output-form", "list", *options]


def start(words: list[str], **streams: int) -> "subprocess.Popen[bytes]":
    """Start the command as a process that heeds Ctrl-C."""
    process: subprocess.Popen[bytes] = subprocess.Popen(
        [sys.executable, "-m", "curation.cli", *words],
        cwd=ROOT,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509  # heeding it is all it does
        **streams,  # type: ignore[call-overload]  # streams by name
    )
    return process


def interrupted(process: "subprocess.Popen[bytes]") -> bytes:
    """Press Ctrl-C; return the line that says what is waited for."""
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    return next(line for line in process.stderr if line.startswith(b"stopping"))


def rows(folder: Path, kind: str) -> int:
    """Count the rows of a kind in a journal."""
    return (folder / ANSWERS).read_bytes().count(b'{"t":"%b"' % kind.encode())


def test_the_first_ctrl_c_waits_for_what_is_under_way_and_the_next_run_goes_on(tmp_path: Path) -> None:
    """It says so; what was asked is answered and in the journal; exit 130. In the end the records are those without."""
    gate, journal = Gate(), tmp_path / "1.journal"
    with told_server(answer=gate) as told:
        process = start(words_of(told.address, tmp_path / "1", "--plain"), stderr=subprocess.PIPE)
        gate.wait_for(4)
        said = interrupted(process)
        gate.opened.set()
        _, rest = process.communicate()
        requests = (rows(journal, "answer"), rows(journal, "request"), len(told.ledger))
        left = (tmp_path / "1").exists()
        again = CliRunner().invoke(main, words_of(told.address, tmp_path / "1"))
        whole = CliRunner().invoke(main, words_of(told.address, tmp_path / "2"))

    assert (process.returncode, again.exit_code, whole.exit_code) == (130, 0, 0)
    assert said == b"stopping: waiting for 4 requests under way; Ctrl-C again stops at once\n"
    assert b"interrupted; finished work is kept" in rest
    assert (requests, left) == ((4, 4, 4), False)
    assert rows(journal, "request") == rows(journal, "answer") > 4
    assert (tmp_path / "1" / "records.jsonl").read_bytes() == (tmp_path / "2" / "records.jsonl").read_bytes()


def test_the_second_ctrl_c_stops_at_once(tmp_path: Path) -> None:
    """Nobody waits; the journal says what may have been billed, and is whole."""
    gate = Gate()
    with told_server(answer=gate) as told:
        process = start(words_of(told.address, tmp_path / "1", "--plain"), stderr=subprocess.PIPE)
        gate.wait_for(4)
        interrupted(process)
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate()
        gate.opened.set()

    with open_journal(tmp_path / "1.journal") as journal:
        assert (journal.unanswered, journal.spending.lost) == (4, 4)
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
    with serving(MockEndpoint()) as running, terminal() as (ours, its):
        process = start(words_of(running.address, tmp_path / "1", "--budget", "1Mtok"), stdout=its, stderr=its)
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
    assert "12 of 12 records" in text
    assert re.search(r"tokens; budget 1,000,000 tokens", text)
    assert "\x1b[?7l" in text
    assert text.rindex("\x1b[?7h") < text.index("generate: ")


def test_programs_read_events(tmp_path: Path) -> None:
    """With --json each line of stderr is an event or words, and states hold what the screen shows."""
    with serving(MockEndpoint()) as running:
        done = CliRunner().invoke(main, words_of(running.address, tmp_path / "1", "--json"))

    events = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    states = [event for event in events if event["event"] == "state"]
    assert states
    assert {"kept", "tokens_per_s", "tokens", "budget", "acceptance", "last"} <= set(states[0])
    assert [event["spent"]["answers"] for event in events if event["event"] == "run"] == [
        running.service.ledger.requests
    ]
    assert json.loads(done.stdout)["counts"]["kept"] == 12
