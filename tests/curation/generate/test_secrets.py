"""A key is sent, and stands nowhere else: not in a journal, a step, an error, a ledger, a log or on a screen."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlencode

import pytest
from click.testing import CliRunner

from curation.cli import main
from curation.mock.serve import serving
from curation.mock.service import MockEndpoint
from tests.curation.generate.scripted import Reply, told_server
from tests.support import ROOT

CANARY = "sk-canary-51c0ffee"


class Done(NamedTuple):
    """How a command ended, and everything that it said."""

    code: int
    said: str


def words_of(output: Path, base_url: str, *options: str) -> list[str]:
    """Return the words of a command that is not patient."""
    words = ["generate", "-n", "4", "-o", str(output), "--base-url", base_url, "--model", "mock", "--attempts", "1"]
    return [*words, "--output-form", "list", *options]


def process(output: Path, base_url: str, *options: str, key: str = CANARY) -> Done:
    """Run the command as a process of its own, to its very end, with a key in its environment."""
    done = subprocess.run(
        [sys.executable, "-m", "curation.cli", *words_of(output, base_url, *options)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "OPENAI_API_KEY": key},
    )
    return Done(done.returncode, done.stdout + done.stderr)


Run = Callable[..., Done]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Run:
    """Run the command in this process: what it prints, by whatever way, and warnings that it logs are what it said."""

    def run(output: Path, base_url: str, *options: str, key: str = CANARY) -> Done:
        done = CliRunner().invoke(main, words_of(output, base_url, *options), env={"OPENAI_API_KEY": key})
        return Done(done.exit_code, done.output + "".join(capfd.readouterr()) + caplog.text)

    return run


def written(folder: Path) -> bytes:
    """Return everything that stands in a folder."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_a_process_that_works(tmp_path: Path) -> None:
    """The endpoint takes no other key, so it was sent; it is in nothing that was written or said."""
    with serving(MockEndpoint(api_key=CANARY, ledger=str(tmp_path / "ledger.jsonl"))) as running:
        done = process(tmp_path / "1", running.address)

    assert done.code == 0
    assert b'"t":"request"' in written(tmp_path)
    assert b'"t":"answer"' in written(tmp_path)
    assert CANARY.encode() not in written(tmp_path)
    assert CANARY not in done.said


@pytest.mark.parametrize("place", ["me:{key}@", "{key}@"], ids=["password", "user"])
def test_a_process_that_fails(place: str, tmp_path: Path) -> None:
    """With a key in the address: not in its last words either."""
    with serving(MockEndpoint(faults={"disconnect_amid": 1.0})) as running:
        done = process(tmp_path / "1", running.address.replace("//", "//" + place.format(key=CANARY)), key="")

    assert done.code == 5
    assert CANARY not in done.said
    assert CANARY.encode() not in written(tmp_path)


@pytest.mark.parametrize("options", ["--json", "--plain"])
def test_a_run_that_works(run: Run, options: str, tmp_path: Path) -> None:
    """Whatever the form in which it tells how far it is."""
    with serving(MockEndpoint(api_key=CANARY, ledger=str(tmp_path / "ledger.jsonl"))) as running:
        done = run(tmp_path / "1", running.address, options)

    assert done.code == 0
    assert b'"t":"answer"' in written(tmp_path)
    assert CANARY.encode() not in written(tmp_path)
    assert CANARY not in done.said


def test_a_provider_that_repeats_the_key(run: Run, tmp_path: Path) -> None:
    """Its words are passed on without it."""
    with serving(MockEndpoint(api_key="sk-another", ledger=str(tmp_path / "ledger.jsonl"))) as running:
        done = run(tmp_path / "1", running.address)

    assert done.code == 5
    assert "Incorrect API key provided" in done.said
    assert CANARY not in done.said
    assert CANARY.encode() not in written(tmp_path)


@pytest.mark.parametrize("fault", ["server_error", "disconnect_before", "disconnect_amid", "broken_json"])
@pytest.mark.parametrize("place", ["me:{key}@", "{key}@"], ids=["password", "user"])
def test_a_key_in_the_address(run: Run, place: str, fault: str, tmp_path: Path) -> None:
    """Where it stands before the host it is as secret, whatever goes wrong."""
    with serving(MockEndpoint(faults={fault: 1.0})) as running:
        address = running.address.replace("http://", "http://" + place.format(key=CANARY))
        done = run(tmp_path / "1", address, "--plain", key="")

    assert done.code == 5
    assert CANARY not in done.said
    assert CANARY.encode() not in written(tmp_path)


def test_a_key_in_the_query(run: Run, tmp_path: Path) -> None:
    """Some gateways take it there; it is no part of what is said or written either."""
    with serving(MockEndpoint(refuse="forbidden")) as running:
        done = run(tmp_path / "1", f"{running.address}?api-key={CANARY}", "--plain", key="")
    refused = run(tmp_path / "2", f"not-an-address?api-key={CANARY}", "--plain", key="")

    assert (done.code, refused.code) == (5, 5)
    assert CANARY not in done.said + refused.said
    assert CANARY.encode() not in written(tmp_path)


def test_a_key_in_the_query_is_repeated_by_the_server(run: Run, tmp_path: Path) -> None:
    """In whatever way it writes it, it does not get into what is said."""
    secret = f"{CANARY}/+ é"
    query = urlencode({"api-version": "2024-10-21", "api-key": secret})
    ways = (secret, quote(secret, safe=""), quote(secret), query)
    for number, way in enumerate(ways):
        refusal = Reply(status=403, body=json.dumps({"error": {"message": f"no: {way}"}}))
        with told_server(*[refusal] * 30) as told:
            done = run(tmp_path / str(number), f"{told.address}?{query}", "--plain", key="")

        assert done.code == 5
        assert "no: [redacted]" in done.said
        assert CANARY not in done.said
        assert "2024-10-21" not in done.said


def test_the_test_can_fail(run: Run, tmp_path: Path) -> None:
    """A key in a prompt, which is no secret place, is found by the same search."""
    (tmp_path / "seeds.jsonl").write_text(
        "".join(
            f'{{"instruction": "Say {CANARY} {number} times, please.", "response": "Yes.", "category": "open_qa"}}\n'
            for number in range(9)
        )
    )
    with serving(MockEndpoint()) as running:
        run(tmp_path / "1", running.address, "--seeds", str(tmp_path / "seeds.jsonl"))

    assert CANARY.encode() in written(tmp_path / "1.journal")
