"""Money on the command line: a run ends at its budget, goes on with a larger one, and says what it spent."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from curation.cli import main
from curation.generate.budgeted import read_spent
from curation.generate.source import Generate
from curation.mock.serve import Running, serving
from curation.mock.service import MockEndpoint
from curation.pipeline import run_source
from curation.recipes import walk_recipe
from schemas.errors import InputError
from schemas.outcome import SILENT
from schemas.recipe import parse_recipe


def run(running: Running, output: Path, *options: str) -> tuple[int, str]:
    """Run the command; return its exit code and what it said."""
    words = ["generate", "-n", "40", "-o", str(output), "--base-url", running.address, "--model", "mock"]
    words += ["--output-form", "list", *options]
    runner = CliRunner()
    with runner.isolation() as (_, _, out):
        try:
            main.main(words)
            code = 0
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = out.getvalue().decode()
    return code, said


def test_a_run_ends_at_its_budget_and_goes_on_with_a_larger_one(tmp_path: Path) -> None:
    """Exit 4 with what was spent and what to do; nothing is paid for twice; the same bytes as without a budget."""
    with serving(MockEndpoint()) as running:
        code, said = run(running, tmp_path / "1", "--budget", "5000tok")
        billed = running.service.ledger.tokens
        same, _ = run(running, tmp_path / "1", "--budget", "5000tok")
        after = running.service.ledger.tokens
        larger, _ = run(running, tmp_path / "1", "--budget", "1Mtok")
        requests = running.service.ledger.requests
    with serving(MockEndpoint()) as running:
        run(running, tmp_path / "2")
        unbroken = running.service.ledger.requests

    assert (code, same, larger) == (4, 4, 0)
    assert "the budget of 5,000 tokens is used up: spent " in said
    assert "of 40 records so far; a larger --budget goes on from here, -n " in said
    assert 2_500 < billed <= after <= 5_000, "a smaller request may still fit"
    assert abs(requests - unbroken) <= 64, "besides answers that came in beyond the last record"
    assert (tmp_path / "1" / "records.jsonl").read_bytes() == (tmp_path / "2" / "records.jsonl").read_bytes()


def test_what_there_is_can_be_written_for_nothing(tmp_path: Path) -> None:
    """The number that the message names makes a step without another request."""
    with serving(MockEndpoint()) as running:
        _, said = run(running, tmp_path / "1", "--budget", "6000tok")
        billed = running.service.ledger.requests
        kept = said.partition("goes on from here, -n ")[2].split()[0]
        code, _ = run(running, tmp_path / "1", "--budget", "6000tok", "-n", kept)
        after = running.service.ledger.requests

    assert (code, after) == (0, billed)
    assert len((tmp_path / "1" / "records.jsonl").read_bytes().splitlines()) == int(kept) > 0


def test_what_a_run_cost_is_said_and_kept(tmp_path: Path) -> None:
    """In dollars where a price is known, exactly what the endpoint billed."""
    with serving(MockEndpoint()) as running:
        _, said = run(running, tmp_path / "1", "--price-in", "2", "--price-out", "8", "--budget", "5usd")
        billed = running.service.ledger.tokens
    spent = read_spent(tmp_path / "1.journal")

    assert spent.prompt_tokens + spent.completion_tokens == billed
    assert float(spent.usd or 0) == pytest.approx((2 * spent.prompt_tokens + 8 * spent.completion_tokens) / 1e6)
    assert f"in {billed:,} tokens" in said
    assert spent.price is not None
    assert spent.price["source"] == "--price-in, --price-out"


def test_without_a_price_nothing_is_said_in_dollars(tmp_path: Path) -> None:
    """Unknown is null, not nothing."""
    with serving(MockEndpoint()) as running:
        _, said = run(running, tmp_path / "1")

    assert "$" not in said
    assert read_spent(tmp_path / "1.journal").usd is None


def test_dollars_without_a_price_are_refused(tmp_path: Path) -> None:
    """Before anything is sent, with what to do."""
    with serving(MockEndpoint()) as running:
        code, said = run(running, tmp_path / "1", "--budget", "5usd")
        sent = running.service.ledger.requests

    assert (code, sent) == (1, 0)
    assert "--budget: usd: expected a price, found a model whose price is unknown: give --price-in" in said


@pytest.mark.parametrize("prices", [{"price_in": 1.0}, {"price_in": 1.0, "price_out": -1.0}])
def test_prices_come_in_pairs(prices: dict[str, float]) -> None:
    """And none is negative."""
    with pytest.raises(InputError, match="price_in, price_out: expected two prices or none"):
        Generate(**prices)  # type: ignore[arg-type]  # settings by name


def test_a_budget_is_no_part_of_what_a_step_is(tmp_path: Path) -> None:
    """A finished step stays what it is under another budget; recipes take it as well."""
    with serving(MockEndpoint()) as running:
        made = Generate(n=5, model="mock", base_url=running.address, budget="1Mtok")
        first = run_source(made, tmp_path / "1")
        again = run_source(Generate(n=5, model="mock", base_url=running.address), tmp_path / "1")
        settings = {"n": 5, "model": "mock", "base_url": running.address, "budget": "1Mtok,10min"}
        walked = list(
            walk_recipe(
                parse_recipe({"name": "t", "steps": [{"generate": settings}]}, "r"), tmp_path / "r", aside=SILENT
            )
        )

    assert (first.reused, again.reused) == (False, True)
    assert walked[0].step is not None


def test_faults_that_may_have_been_billed_are_counted(tmp_path: Path) -> None:
    """What the journal counts is never less than what was billed."""
    faults = {"no_usage": 0.2}
    with serving(MockEndpoint(faults=faults)) as running:
        run(running, tmp_path / "1")
        billed = running.service.ledger.tokens
    spent = read_spent(tmp_path / "1.journal")

    assert spent.prompt_tokens + spent.completion_tokens >= billed
    assert spent.estimated_tokens > 0
    assert json.loads((tmp_path / "1.journal" / "spending.json").read_text())["words"] == str(spent)


def test_every_failure_at_once_stays_within_the_budget(tmp_path: Path) -> None:
    """With a hundred requests in flight: not over by a token, and nothing billed that is not counted."""
    faults = dict.fromkeys(("disconnect_before", "disconnect_amid", "broken_json", "server_error", "no_usage"), 0.05)
    with serving(MockEndpoint(faults=faults, latency_s=0.05)) as running:
        options = ("--concurrency", "100", "--round-size", "200", "--attempts", "20", "-n", "1000")
        code, _ = run(running, tmp_path / "1", "--budget", "150ktok", *options)
        billed = running.service.ledger.tokens
    spent = read_spent(tmp_path / "1.journal")

    assert code == 4
    assert billed <= spent.prompt_tokens + spent.completion_tokens <= 150_000
    assert billed > 75_000
    assert spent.unanswered_tokens > 0
