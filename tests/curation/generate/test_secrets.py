"""A key is sent, and stands nowhere else: not in a journal, a step, an error, a ledger, a log or on a screen."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from curation.mock.serve import serving
from curation.mock.service import MockEndpoint
from tests.curation.generate.scripted import Reply, told_server
from tests.support import ROOT

CANARY = "sk-canary-51c0ffee"


def run(output: Path, base_url: str, *options: str, key: str = CANARY) -> "subprocess.CompletedProcess[str]":
    """Run the command with a key in its environment."""
    words = ["generate", "-n", "4", "-o", str(output), "--base-url", base_url, "--model", "mock", "--attempts", "1"]
    environment = {**os.environ, "OPENAI_API_KEY": key}
    command = [sys.executable, "-m", "curation.cli", *words, "--output-form", "list", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment)


def written(folder: Path) -> bytes:
    """Return everything that stands in a folder."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("options", [(), ("--json",), ("--plain",)])
def test_a_run_that_works(options: tuple[str, ...], tmp_path: Path) -> None:
    """The endpoint takes no other key, so it was sent; it is in nothing that was written or said."""
    with serving(MockEndpoint(api_key=CANARY, ledger=str(tmp_path / "ledger.jsonl"))) as running:
        done = run(tmp_path / "1", running.address, *options)

    assert done.returncode == 0
    assert b'"t":"answer"' in written(tmp_path)
    assert CANARY.encode() not in written(tmp_path)
    assert CANARY not in done.stdout + done.stderr


def test_a_provider_that_repeats_the_key(tmp_path: Path) -> None:
    """Its words are passed on without it."""
    with serving(MockEndpoint(api_key="sk-another", ledger=str(tmp_path / "ledger.jsonl"))) as running:
        done = run(tmp_path / "1", running.address)

    assert done.returncode == 5
    assert "Incorrect API key provided" in done.stderr
    assert CANARY not in done.stdout + done.stderr
    assert CANARY.encode() not in written(tmp_path)


@pytest.mark.parametrize("fault", ["server_error", "disconnect_before", "disconnect_amid", "broken_json"])
@pytest.mark.parametrize("place", ["me:{key}@", "{key}@"], ids=["password", "user"])
def test_a_key_in_the_address(place: str, fault: str, tmp_path: Path) -> None:
    """Where it stands before the host it is as secret, whatever goes wrong."""
    with serving(MockEndpoint(faults={fault: 1.0})) as running:
        address = running.address.replace("http://", "http://" + place.format(key=CANARY))
        done = run(tmp_path / "1", address, "--plain", key="")

    assert done.returncode == 5
    assert CANARY not in done.stdout + done.stderr
    assert CANARY.encode() not in written(tmp_path)


def test_a_key_in_the_query(tmp_path: Path) -> None:
    """Some gateways take it there; it is no part of what is said or written either."""
    with serving(MockEndpoint(refuse="forbidden")) as running:
        done = run(tmp_path / "1", f"{running.address}?api-key={CANARY}", "--plain", key="")
    refused = run(tmp_path / "2", f"not-an-address?api-key={CANARY}", "--plain", key="")

    assert (done.returncode, refused.returncode) == (5, 5)
    assert CANARY not in done.stdout + done.stderr + refused.stdout + refused.stderr
    assert CANARY.encode() not in written(tmp_path)


def test_a_key_in_the_query_is_repeated_by_the_server(tmp_path: Path) -> None:
    """In whatever way it writes it, it does not get into what is said."""
    secret = f"{CANARY}/+ é"
    query = urlencode({"api-version": "2024-10-21", "api-key": secret})
    ways = (secret, quote(secret, safe=""), quote(secret), query)
    for number, way in enumerate(ways):
        refusal = Reply(status=403, body=json.dumps({"error": {"message": f"no: {way}"}}))
        with told_server(*[refusal] * 30) as told:
            done = run(tmp_path / str(number), f"{told.address}?{query}", "--plain", key="")

        assert done.returncode == 5
        assert "no: [redacted]" in done.stderr
        assert CANARY not in done.stdout + done.stderr
        assert "2024-10-21" not in done.stdout + done.stderr


def test_the_test_can_fail(tmp_path: Path) -> None:
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
