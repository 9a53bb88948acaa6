"""The commands of a review: everything on the screens has one, and a killed server has lost nothing."""

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from click.testing import CliRunner

from curation.cli import main
from curation.review.exchange import verify
from curation.review.store import read_store, review_beside
from schemas.outcome import reject
from schemas.record import Reason
from schemas.step import StepDirectory
from tests.support import ROOT, pair, step_of

SHORT = Reason(code="instruction_too_short", field="instruction", found="1 word", limit="2 words")


@pytest.fixture
def step(tmp_path: Path) -> StepDirectory:
    """A step of sixty records and a rejected row."""
    kept = [pair(f"Name colour {at}.", f"Blue {at}.", category="open_qa") for at in range(60)]
    return step_of(tmp_path / "1", [*kept, reject(pair("Sing"), SHORT)])


def ran(*words: object) -> dict[str, Any]:
    """Run a command with --json and return its last line."""
    result = CliRunner().invoke(main, ["review", *map(str, words), "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    said: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return said


def test_a_review_without_a_screen(tmp_path: Path, step: StepDirectory) -> None:
    """Search, decide, take back, see where it stands, check, hand over, apply."""
    found = ran("search", step.path, "colour 7", "--fate", "kept", "-n", 1)
    wanted = found["items"][0]["id"]
    ran("decide", step.path, wanted, "--as", "reject", "--reason", "wrong_answer", "--note", "It is red.")
    ran("decide", step.path, "--as", "accept", "--category", "open_qa", "--expect", 60, "--reviewer", "ben")
    undone = ran("undo", step.path, "--reviewer", "ben")
    status = ran("status", step.path)
    checked = ran("verify", step.path)
    ran("export", step.path, "-o", tmp_path / "d.jsonl")
    imported = ran("import", tmp_path / "elsewhere", tmp_path / "d.jsonl")
    applied = ran("apply", step.path, "-o", tmp_path / "2")
    again = ran("apply", step.path, tmp_path / "d.jsonl", "-o", tmp_path / "2")

    assert (found["rows"], found["facets"]["category"]) == (1, {"open_qa": 1})
    assert undone["action"] == "accept"
    hunt = next(one for one in status["queues"] if one["queue"] == "hunt")
    assert (hunt["done"], hunt["actions"], hunt["reasons"]) == (1, {"reject": 1}, {"wrong_answer": 1})
    assert checked["events"] == imported["new"] == 62
    assert applied["counts"]["reasons"] == {"reviewer_rejected": 1}
    assert again["reused"]


def test_what_a_search_finds_is_not_decided_about_unless_it_was_expected(step: StepDirectory) -> None:
    """The message says how many there are."""
    result = CliRunner().invoke(main, ["review", "decide", str(step.path), "--as", "accept", "--words", "colour"])

    assert result.exit_code == 1
    assert "expected --expect 60, which is what was found, found no --expect" in result.stderr


def test_a_changed_store_does_not_verify(step: StepDirectory) -> None:
    """Exit code 1, with the event that is not the one that was written."""
    import sqlite3  # noqa: PLC0415  # only here

    ran("decide", step.path, next(step.records()).id, "--as", "accept")
    with sqlite3.connect(review_beside(step.path) / "decisions.sqlite") as db:
        db.executescript("DROP TRIGGER events_stay; UPDATE events SET body = replace(body, 'accept', 'reject')")

    result = CliRunner().invoke(main, ["review", "verify", str(step.path)])

    assert result.exit_code == 1
    assert "event 1 is not the one that was written" in result.stderr


def test_canaries_and_agreement_have_commands(step: StepDirectory) -> None:
    """Planting twice plants nothing twice."""
    assert ran("canaries", step.path, "-n", 3)["planted"] == 3
    assert ran("canaries", step.path, "-n", 3)["planted"] == 3
    assert ran("agreement", step.path)["table"]["both_accept"] == 0


def test_a_map_has_a_command(step: StepDirectory) -> None:
    """The table that the screen shows."""
    made = ran("map", step.path, "--encoder", "hashing")

    assert made["rows"] == 61
    assert sum(one["rejected"] for one in made["topics"]) == 1


@contextmanager
def serving(directory: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Start `review DIR` as a person would, and wait for the address."""
    command = [sys.executable, "-m", "curation.cli", "review", str(directory), "--no-browser", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            lines = map(json.loads, process.stdout)
            yield next(line["url"] for line in lines if line["event"] == "serving"), process
        finally:
            process.kill()


def asked(url: str, method: str, path: str, cookie: str = "", form: dict[str, str] | None = None) -> Any:
    """Return the answer to one request."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    connection.request(method, path, urlencode(form or {}), {"cookie": cookie})
    return connection.getresponse()


def decided(url: str, process: subprocess.Popen[str], kill_at: int) -> list[str]:
    """Decide about one row after the other; kill the server in the middle of one; return what it acknowledged."""
    cookie = asked(url, "GET", f"/?{urlsplit(url).query}").getheader("set-cookie").partition(";")[0]
    said: list[str] = []
    for number in range(1, 61):
        page = asked(url, "GET", f"/hunt/{number}", cookie).read().decode()
        sha256 = page.partition('name="sha256" value="')[2][:64]
        if number == kill_at:
            process.send_signal(signal.SIGKILL)
        try:
            answer = asked(url, "POST", f"/hunt/{number}", cookie, {"sha256": sha256, "action": "accept"})
        except OSError:
            break
        assert answer.status == http.HTTPStatus.SEE_OTHER
        said.append(sha256)
    return said


@pytest.mark.parametrize("kill_at", [5, 23])
def test_a_killed_server_has_lost_no_decision(step: StepDirectory, kill_at: int) -> None:
    """Everything it acknowledged is there, and the chain holds."""
    with serving(step.path) as (url, process):
        said = decided(url, process, kill_at)

    events, _, damage = verify(step.path)
    assert len(said) >= kill_at - 1
    assert set(said) <= {event.row_sha256 for event in read_store(review_beside(step.path))}
    assert (damage, events >= len(said)) == ([], True)


def test_ctrl_c_ends_a_review_in_peace(step: StepDirectory) -> None:
    """No traceback, nothing half-done."""
    with serving(step.path) as (url, process):
        # once it answers it heeds the signal, also where a shell started the tests with it ignored
        assert asked(url, "GET", "/").status == http.HTTPStatus.FORBIDDEN
        process.send_signal(signal.SIGINT)
        code = process.wait()

    assert code in (0, 130)
