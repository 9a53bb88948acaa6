"""Shares that follow from what strategies bring in: by new records for the money, the same bytes whatever happens."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from statistics import mean

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from curation.cli import main
from curation.generate.bandit import FLOOR, gamma, in_turn, shares_of
from curation.generate.endpoint import Answer, Endpoint, Request
from curation.generate.journal import Remembered, open_journal
from curation.generate.plan import Plan
from curation.generate.prices import given_price
from curation.generate.rounds import Goal, Rounds
from curation.generate.seeds import read_seeds, seeds_by_category
from curation.generate.strategies import Material
from curation.generate.yields import Yield, Yields, price_of_journal
from schemas.errors import EndpointError
from tests.curation.generate.scripted import Scripted, answer_of, seed_file, spoken, told_server
from tests.curation.generate.test_rounds import Noting, bytes_of, outcomes_of, plan_of

MIX = "self-instruct,topic,evol"
GOAL = Goal(n=60, novelty=0.7, min_yield=0.0, concurrency=4)


def auto() -> Plan:
    """Return a plan whose shares are decided."""
    return replace(plan_of(MIX, Material(topics=("bees", "maps", "tea"))), auto=True)


def run(folder: Path, endpoint: Endpoint, concurrency: int, aside: Noting) -> Rounds:
    """Return a run whose shares are decided."""
    seeds = seeds_by_category(read_seeds(seed_file(folder)))
    return Rounds(auto(), endpoint, seeds, replace(GOAL, concurrency=concurrency), aside=aside)


def test_the_same_answers_give_the_same_shares_and_bytes_at_any_concurrency(tmp_path: Path) -> None:
    """One request at a time or 256, answers in order or not: records, rejections, and every round's shares."""
    runs = []
    for concurrency in (1, 16, 256):
        aside = Noting()
        runs.append((bytes_of(outcomes_of(run(tmp_path, Scripted(wait_s=0.004), concurrency, aside))), aside.rows))
    shares = {json.dumps(row) for name, row in aside.rows if name == "shares"}

    assert runs[0] == runs[1] == runs[2]
    assert len(shares) > 6, "more than one round, so that something was decided"


@pytest.mark.parametrize("after", [7, 40, 90])
def test_a_run_that_was_stopped_comes_to_the_same_shares_and_bytes(tmp_path: Path, after: int) -> None:
    """Its journal is all that it goes on from; what was under way when it stopped is asked at once afterwards."""

    class Failing(Scripted):
        """An endpoint that goes away."""

        async def ask(self, request: Request) -> Answer:
            """Fail after so many answers."""
            if len(self.asked) >= after:
                raise EndpointError("gone")
            return await super().ask(request)

    whole, resumed = Noting(), Noting()
    expected = bytes_of(outcomes_of(run(tmp_path, Scripted(), 1, whole)))
    with open_journal(tmp_path / "journal") as journal, pytest.raises(EndpointError, match="gone"):
        outcomes_of(run(tmp_path, Remembered(Failing(wait_s=0.002), journal), 16, Noting()))
    with open_journal(tmp_path / "journal") as journal:
        found = bytes_of(outcomes_of(run(tmp_path, Remembered(Scripted(), journal), 256, resumed)))

    assert found == expected
    assert resumed.rows == whole.rows


def test_the_better_strategy_is_asked_more_and_none_starves() -> None:
    """Ten times the records for the same tokens: nearly all but the floor; nothing known: about the same."""
    seen = {"good": Yield(kept=40, cost=1000), "bad": Yield(kept=4, cost=1000), "none": Yield(kept=0, cost=900)}
    shares = shares_of(list(seen), seen, 1, 5, "shares")

    assert shares["good"] > 0.75
    assert min(shares.values()) >= FLOOR
    assert list(shares_of(list(seen), {}, 1).values()) == pytest.approx([1 / 3] * 3)


def test_the_unit_of_cost_does_not_matter() -> None:
    """Dollars or tokens: the same decisions."""
    tokens = {"a": Yield(kept=5, cost=2048.0), "b": Yield(kept=6, cost=1024.0)}
    other = {name: one._replace(cost=one.cost / 4096) for name, one in tokens.items()}

    assert shares_of(["a", "b"], tokens, 1) == shares_of(["a", "b"], other, 1)


@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(1, 9))
def test_shares_are_kept_over_rounds(first: int, names: int, weight: int) -> None:
    """Over a hundred turns each strategy has its share, within a few."""
    shares = {str(at): (weight if at == 0 else 1) / (weight + names - 1) for at in range(names)}
    turns = Counter(in_turn(shares, first, 100))

    assert turns.total() == 100
    assert all(abs(turns[name] - 100 * share) <= 4 for name, share in shares.items())


@pytest.mark.parametrize("shape", [1.0, 3.5, 200.0])
def test_the_draws_are_gamma_distributed(shape: float) -> None:
    """Mean and variance are the shape; the same place, the same draw."""
    drawn = [gamma(shape, 7, number) for number in range(1500)]

    assert mean(drawn) == pytest.approx(shape, rel=0.1)
    assert mean((one - shape) ** 2 for one in drawn) == pytest.approx(shape, rel=0.25)
    assert gamma(shape, 7, 3) == drawn[3]


def test_costs_are_counted_in_dollars_where_there_is_a_price() -> None:
    """And in tokens where it is unknown or nothing; earlier rounds fade, turns do not."""
    request = Request(model="m", messages=())
    answer = answer_of(Scripted(lambda messages, sample: ("one two three", "stop")), request)
    found = {}
    for name, price in {"dear": given_price(1, 2), "free": given_price(0, 0), "unknown": None}.items():
        yields = Yields(price)
        for _ in range(2):
            yields.paid("s", request, answer)
            yields.turn("s")
            yields.keep("s")
            yields.end_round()
        found[name] = (yields.unit, yields.seen["s"])

    assert found["dear"][0] == "usd"
    assert found["dear"][1].cost == pytest.approx(1.9 * (10 * 1 + 3 * 2) / 1e6)
    assert found["free"] == found["unknown"]
    assert found["free"][0] == "tokens"
    assert found["free"][1] == pytest.approx((1.9, 1.9 * 13, 2))


def test_a_journal_keeps_the_price_that_it_was_decided_by(tmp_path: Path) -> None:
    """Prices change; the decisions of a journal do not."""
    first = price_of_journal(tmp_path, given_price(1, 2))
    again = price_of_journal(tmp_path, given_price(7, 7))

    assert first == again == given_price(1, 2)
    assert again is not None
    assert again.completion == Decimal(2)


def picky(messages: list[Mapping[str, str]]) -> tuple[str, str]:
    """Answer as ever where the topic strategy asks, and where a text is asked about, else with nothing."""
    last = messages[-1]["content"]
    return spoken(messages) if " about " in last or " new " not in last else ("no list", "stop")


def test_the_command_says_how_the_requests_were_shared(tmp_path: Path) -> None:
    """A strategy that brings in little falls to its floor, and shares.jsonl says why, round by round."""
    words = ["--strategy", "self-instruct,topic", "--shares", "auto", "--round-size", "6", "--output-form", "list"]
    with told_server(answer=picky) as told:
        where = ["--base-url", told.address, "--seeds", str(seed_file(tmp_path)), "-o", str(tmp_path / "1")]
        result = CliRunner().invoke(main, ["generate", "-n", "40", "--min-yield", "0", *words, *where])
    rows = [json.loads(line) for line in (tmp_path / "1" / "shares.jsonl").read_text().splitlines()]

    assert result.exit_code == 0, result.output
    assert "shares of the requests: self-instruct 50% → 1" in result.output
    assert rows[1] == {"round": 0, "strategy": "topic", "share": 0.5, "kept": 0, "cost": 0, "unit": "tokens"}
    assert rows[-2]["kept"] / rows[-2]["cost"] < rows[-1]["kept"] / rows[-1]["cost"]


def test_shares_are_fixed_or_auto() -> None:
    """Nothing else."""
    result = CliRunner().invoke(main, ["generate", "--shares", "some", "-o", "x"])

    assert "generate: shares: expected fixed or auto, found some" in result.output
