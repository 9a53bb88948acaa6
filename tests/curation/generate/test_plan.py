"""Turns: strategies by their shares of the requests, categories by their shares of the records."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.generate.plan import Plan, parse_quotas, parse_shares
from curation.generate.source import Generate
from curation.generate.strategies import STRATEGIES, Material, Shelf
from schemas.errors import InputError
from schemas.record import InstructionRecord
from tests.support import pair

SEEDS = {name: [pair(f"{name} one", category=name)] for name in ("a", "b", "c", "d")}
NAMES = ("self-instruct", "alpaca", "evol")


def plan(shares: dict[str, int], round_size: int = 24, quotas: dict[str, int] | None = None) -> Plan:
    """Return a plan of real strategies."""
    strategies = {name: STRATEGIES[name](Generate().sampling(), Material()) for name in shares}
    return Plan(strategies=strategies, mix=shares, round_size=round_size, quotas=quotas or {})


def shelf(number: int = 0, **made: int) -> Shelf:
    """Return a shelf with so many records of each category."""
    records: dict[str, list[InstructionRecord]] = {name: [pair()] * many for name, many in made.items()}
    return Shelf(round=number, seeds=SEEDS, made=records)


def categories(one: Plan, here: Shelf) -> Counter[str]:
    """Count a round's turns by category."""
    return Counter(turn.category for _, turn in one.turns(here))


@given(st.lists(st.integers(1, 60), min_size=1, max_size=3), st.integers(1, 30), st.integers(1, 6))
def test_every_strategy_counts_its_own_turns(shares: list[int], round_size: int, rounds: int) -> None:
    """Number 0, 1, 2 …, over rounds, never a turn left out; each has its share at any time, within one turn."""
    mix = dict(zip(NAMES, shares, strict=False))
    made = plan(mix, round_size)
    names = {id(strategy): name for name, strategy in made.strategies.items()}
    numbers: dict[str, list[int]] = {name: [] for name in mix}
    for number in range(rounds):
        for strategy, turn in made.turns(shelf(number)):
            numbers[names[id(strategy)]].append(turn.number)

    total = round_size * rounds
    for name, share in mix.items():
        assert numbers[name] == list(range(len(numbers[name])))
        assert abs(len(numbers[name]) - total * share / sum(mix.values())) <= len(mix) / 2 + 1


def test_the_categories_take_turns() -> None:
    """Nothing was kept yet: each as often as any other, in order."""
    turns = [turn.category for _, turn in plan({"self-instruct": 1}, 8).turns(shelf())]

    assert turns == ["a", "b", "c", "d"] * 2


def test_a_category_that_lags_is_asked_for_more_but_not_for_everything() -> None:
    """What counts is records; at most twice its share, so that one that yields nothing starves no other."""
    asked = categories(plan({"self-instruct": 1}), shelf(1, a=10, b=10, c=10))

    assert asked["d"] == 12
    assert min(asked.values()) >= 3


def test_a_quota_is_a_share_of_the_records() -> None:
    """The others share what is left equally."""
    quotas = parse_quotas("a:10%, b:70", list(SEEDS))
    made = plan({"self-instruct": 1}, 100, quotas)

    assert made.targets(list(SEEDS)) == {"a": 0.1, "b": 0.7, "c": 0.1, "d": 0.1}
    assert categories(made, shelf()) == {"a": 10, "b": 70, "c": 10, "d": 10}


def test_a_quota_of_everything_leaves_nothing() -> None:
    """A category that has no share is not asked for."""
    made = plan({"self-instruct": 1}, 8, {"a": 100})

    assert categories(made, shelf()) == {"a": 8}


def test_shares_are_read() -> None:
    """A name alone has the share 1; blanks and percent signs do no harm."""
    assert parse_shares("self-instruct", "strategy") == {"self-instruct": 1}
    assert parse_shares("self-instruct:60, evol : 25%,docs:15", "strategy") == {
        "self-instruct": 60,
        "evol": 25,
        "docs": 15,
    }


@pytest.mark.parametrize("text", ["", "a:", "a:0", "a:-1", "a:x", "a:1,a:2", "a:1.5", ",", "a:²"])
def test_shares_that_cannot_be_read(text: str) -> None:
    """They are named, with the form that is expected."""
    with pytest.raises(InputError, match="generate: strategy: expected NAME:SHARE"):
        parse_shares(text, "strategy")


@pytest.mark.parametrize(("text", "says"), [("x:10", "one of a, b, c, d, found x"), ("a:60,b:50", "found 110 %")])
def test_quotas_that_cannot_be_meant(text: str, says: str) -> None:
    """A category that no seed has; more than the whole."""
    with pytest.raises(InputError, match=says):
        parse_quotas(text, list(SEEDS))
