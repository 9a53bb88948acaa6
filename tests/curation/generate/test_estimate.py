"""What a run would take is said before it is paid: assumed and said to be so, or measured on a few requests."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from curation.cli import main
from curation.generate.rehearse import ASSUMED, NONE_KEPT, dry_run
from curation.generate.source import Generate
from curation.mock.serve import Running, serving
from curation.mock.service import MockEndpoint
from schemas.interval import wilson

PRICES = ("--price-in", "2", "--price-out", "8")


def run(running: Running, output: Path, *options: str) -> str:
    """Run the command; return what it printed."""
    words = ["generate", "-n", "100", "-o", str(output), "--base-url", running.address, "--model", "mock", *options]
    result = CliRunner().invoke(main, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def estimate(running: Running, output: Path, *options: str) -> dict[str, Any]:
    """Run the command for programs."""
    event: dict[str, Any] = json.loads(run(running, output, "--json", *options))
    return event


def test_a_dry_run_sends_and_writes_nothing(tmp_path: Path) -> None:
    """It says requests, tokens, money and time, each as a range, and what it assumed."""
    with serving(MockEndpoint()) as running:
        said = run(running, tmp_path / "1", "--dry-run", *PRICES)
        sent = running.service.ledger.requests

    assert sent == 0
    assert not list(tmp_path.iterdir())
    for words in (
        "requests  about ",
        " for 100 records",
        "tokens    about ",
        "cost      about $",
        "time      about ",
        ASSUMED,
    ):
        assert words in said


def test_without_a_price_the_cost_is_unknown(tmp_path: Path) -> None:
    """Null for programs, words for people; a model of this machine costs nothing."""
    with serving(MockEndpoint()) as running:
        said = run(running, tmp_path / "1", "--dry-run")
        event = estimate(running, tmp_path / "1", "--dry-run")
    home = dry_run(Generate(n=50))

    assert "cost      unknown: no price for this model at this endpoint is known" in said
    assert event["usd"] is None
    assert home.usd is not None
    assert home.usd.high == 0


def test_a_probe_s_answers_are_kept(tmp_path: Path) -> None:
    """No more is sent than was asked for, and the run does not pay for it again."""
    with serving(MockEndpoint()) as running:
        run(running, tmp_path / "1", "--probe", "20", "--output-form", "list")
        probed = running.service.ledger.requests
        run(running, tmp_path / "1", "--output-form", "list", "--concurrency", "2")
        whole = running.service.ledger.requests
    with serving(MockEndpoint()) as running:
        run(running, tmp_path / "2", "--output-form", "list", "--concurrency", "2")
        alone = running.service.ledger.requests

    assert probed == 20
    assert whole == alone
    assert (tmp_path / "1" / "records.jsonl").read_bytes() == (tmp_path / "2" / "records.jsonl").read_bytes()


def test_what_a_run_takes_lies_in_what_was_measured(tmp_path: Path) -> None:
    """Requests, tokens and dollars of the real run are within the ranges that forty requests gave."""
    with serving(MockEndpoint()) as running:
        event = estimate(running, tmp_path / "1", "--probe", "40", "--output-form", "list", *PRICES)
        run(running, tmp_path / "1", "--output-form", "list", *PRICES)
        requests = running.service.ledger.requests
    spent = json.loads((tmp_path / "1.journal" / "spending.json").read_text())
    shares = [
        requests / event["requests"]["usual"],
        spent["prompt_tokens"] / event["prompt_tokens"]["usual"],
        spent["completion_tokens"] / event["completion_tokens"]["usual"],
        float(spent["usd"]) / event["usd"]["usual"],
    ]

    assert all(0.6 < share < 1.6 for share in shares), shares
    assert "measured on 40 requests" in event["basis"]


def test_a_dry_run_says_what_the_journal_holds(tmp_path: Path) -> None:
    """After a probe."""
    with serving(MockEndpoint()) as running:
        run(running, tmp_path / "1", "--probe", "12", "--output-form", "list")
        event = estimate(running, tmp_path / "1", "--dry-run", "--output-form", "list")

    assert event["answered"] == 12


@pytest.mark.parametrize("strategy", ["self-instruct", "alpaca:50,evol:50"])
def test_any_strategy_can_be_rehearsed(strategy: str) -> None:
    """The prompts are the real ones, so a longer one costs more."""
    plain = dry_run(Generate(n=40, strategy=strategy))
    shown = dry_run(Generate(n=40, strategy=strategy, examples=3))

    assert plain.requests.low <= plain.requests.usual <= plain.requests.high
    assert shown.prompt_tokens.usual >= plain.prompt_tokens.usual > 0


def test_a_rehearsal_ends_though_nothing_is_kept(tmp_path: Path) -> None:
    """The mock model invents where it should read, and keeps to no marks: it is said that nothing was kept."""
    document = tmp_path / "ferry.txt"
    document.write_text("\n\n".join(["The ferry to Ashport was closed in 1903, after the storm. " * 8] * 12))
    given = Generate(n=1000, model="m", base_url="http://localhost/v1")

    for hopeless in (replace(given, strategy="docs", docs=(str(document),)), replace(given, output_form="text")):
        found = dry_run(hopeless)

        assert found.requests.usual > 0
        assert NONE_KEPT in found.basis


def test_a_rehearsal_speaks_any_language() -> None:
    """The mock model's own is no reason to reject what it says to seeds in another."""
    given = Generate(n=40, model="m", base_url="http://localhost/v1")
    foreign = dry_run(replace(given, language="de"))

    assert foreign.basis == ASSUMED
    assert foreign.requests == dry_run(given).requests


@given(st.integers(1, 500), st.integers(0, 500))
def test_bounds_of_a_share(kept: int, rejected: int) -> None:
    """They hold what was seen, are shares, and are never nothing where something was kept."""
    low, high = wilson(kept, kept + rejected)

    assert 0 < low <= kept / (kept + rejected) <= high + 1e-9
    assert high <= 1 + 1e-9
