"""A budget is read as it is meant, and is never exceeded, however many requests are under way."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from curation.generate.budget import Budget, Purse, in_time, in_usd, read_budget
from curation.generate.budgeted import Budgeted
from curation.generate.endpoint import Answer, Message, Request, read_answer
from curation.generate.journal import Remembered, open_journal
from curation.generate.prices import given_price
from curation.generate.spending import Spending, Tokens
from schemas.errors import BudgetError, InputError

DOLLAR = given_price(1_000_000, 1_000_000)
"""A token costs a dollar."""


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("", Budget()),
        ("5usd", Budget(usd=Decimal(5))),
        ("$5", Budget(usd=Decimal(5))),
        ("$5.50usd", Budget(usd=Decimal("5.5"))),
        ("0.25 USD", Budget(usd=Decimal("0.25"))),
        ("50cents", Budget(usd=Decimal("0.5"))),
        ("2Mtok", Budget(tokens=2_000_000)),
        ("1.5mtok", Budget(tokens=1_500_000)),
        ("100_000tokens", Budget(tokens=100_000)),
        ("30min", Budget(seconds=1_800.0)),
        ("2h", Budget(seconds=7_200.0)),
        ("5usd,30min", Budget(usd=Decimal(5), seconds=1_800.0)),
        (" 5 usd + 2Mtok and 90s ", Budget(usd=Decimal(5), tokens=2_000_000, seconds=90.0)),
    ],
)
def test_a_budget_is_read(text: str, budget: Budget) -> None:
    """In dollars, tokens and time, alone or together."""
    assert read_budget(text) == budget


@pytest.mark.parametrize(
    "text", ["5", "usd", "5 euros", "-5usd", "5usd,", "$5tok", "5usd,6usd", "0usd", "0.5tok", "1e3tok"]
)
def test_what_is_no_budget_is_refused(text: str) -> None:
    """A number without a unit is not guessed at, and nothing is not a budget."""
    with pytest.raises(InputError, match="--budget"):
        read_budget(text)


def test_amounts_for_people() -> None:
    """Small sums are not rounded away."""
    assert [in_usd(Decimal(text)) for text in ("0", "0.00123", "12.5", "1234")] == [
        "$0.00",
        "$0.0012",
        "$12.50",
        "$1,234.00",
    ]
    assert [in_time(seconds) for seconds in (45, 600, 7_500)] == ["45 s", "10 min", "2 h 05 min"]


def test_dollars_need_a_price() -> None:
    """An unknown price is not taken for nothing."""
    with pytest.raises(InputError, match="--price-in and --price-out"):
        Purse(budget=Budget(usd=Decimal(5)), price=None)


class FaultError(Exception):
    """A failure as the wire has it."""

    def __init__(self, status: int) -> None:
        super().__init__("fault")
        self.status = status


@dataclass
class Costly:
    """An endpoint that bills, for answers and for some failures, and counts what it billed."""

    chance: Random = field(default_factory=lambda: Random(1))
    billed: int = 0
    under_way: int = 0
    most_under_way: int = 0
    usage: bool = True

    async def ask(self, request: Request) -> Answer:
        """Answer after a while, or fail."""
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await asyncio.sleep(self.chance.random() / 100)
        self.under_way -= 1
        if self.chance.random() < 0.1:
            raise FaultError(500)
        prompt, completion = len(request.messages[0].content), self.chance.randint(1, int(request.params["max_tokens"]))
        self.billed += prompt + completion
        if self.chance.random() < 0.1:
            raise FaultError(0)
        usage = {"prompt_tokens": prompt, "completion_tokens": completion}
        return read_answer({"choices": [], **({"usage": usage} if self.usage else {})})


@dataclass
class Again:
    """Asks again until there is an answer."""

    endpoint: Budgeted

    async def ask(self, request: Request) -> Answer:
        """Answer."""
        while True:
            try:
                return await self.endpoint.ask(request)
            except FaultError:
                continue


def request(number: int) -> Request:
    """Return one of many requests."""
    return Request(model="m", messages=(Message("user", f"{number} {'x' * (number % 90)}"),), params={"max_tokens": 60})


def ask_all(folder: Path, endpoint: Costly, budget: Budget, count: int = 600) -> tuple[Purse, list[Any]]:
    """Ask many requests at once, within a budget; return the purse and what each came to."""

    async def main() -> tuple[Purse, list[Any]]:
        with open_journal(folder) as journal:
            purse = Purse(budget=budget, price=DOLLAR, spending=journal.spending)
            remembered = Remembered(Again(Budgeted(endpoint, purse, journal)), journal)
            asked = (remembered.ask(request(number)) for number in range(count))
            return purse, await asyncio.gather(*asked, return_exceptions=True)

    return asyncio.run(main())


@pytest.mark.parametrize("budget", [Budget(tokens=30_000), Budget(usd=Decimal(30_000))], ids=["tokens", "usd"])
def test_a_budget_is_never_exceeded_by_a_token(budget: Budget, tmp_path: Path) -> None:
    """With 600 requests at once and every kind of failure; and most of it is used."""
    endpoint = Costly()
    purse, came = ask_all(tmp_path, endpoint, budget)

    assert endpoint.billed <= purse.spending.tokens.total <= 30_000
    assert endpoint.billed > 15_000
    assert endpoint.most_under_way > 50
    assert {type(one) for one in came} == {Answer, BudgetError}


def test_what_was_spent_is_known_to_the_next_run(tmp_path: Path) -> None:
    """To the token, failures included; and only a larger budget goes on."""
    first, _ = ask_all(tmp_path, Costly(), Budget(tokens=30_000))
    again = Costly()
    second, came = ask_all(tmp_path, again, Budget(tokens=30_000))
    third, more = ask_all(tmp_path, Costly(), Budget(tokens=1_000_000))

    assert second.spending == first.spending
    assert again.billed == 0
    assert {type(one) for one in came} == {Answer, BudgetError}
    assert {type(one) for one in more} == {Answer}
    assert third.spending.answers == 600


def test_without_usage_the_bound_stands(tmp_path: Path) -> None:
    """What was set aside is spent, and is said to be an estimate."""
    endpoint = Costly(usage=False)
    purse, _ = ask_all(tmp_path, endpoint, Budget(tokens=30_000), count=20)

    assert purse.spending.silent == 20
    assert purse.spending.estimated.total >= endpoint.billed - purse.spending.unanswered.total
    assert "20 answers did not say what they cost and are estimated" in str(purse)


def test_a_request_waits_for_those_under_way_rather_than_ending_the_run() -> None:
    """What one sets aside is free again when it turns out cheap."""

    async def main() -> Mapping[str, Any]:
        purse = Purse(budget=Budget(tokens=100))
        first = await purse.reserve(Tokens(50, 50))
        second = asyncio.create_task(purse.reserve(Tokens(50, 40)))
        await asyncio.sleep(0)
        waited = not second.done()
        await purse.settle(first, Tokens(50, 50), {"usage": {"prompt_tokens": 3, "completion_tokens": 4}})
        await second
        with pytest.raises(BudgetError, match=r"the budget of 100 tokens is used up.*may cost 94 tokens"):
            await asyncio.wait_for(_after(purse, second.result()), 5)
        return {"waited": waited}

    async def _after(purse: Purse, reserved: Tokens) -> None:
        await purse.release(reserved)
        await purse.reserve(Tokens(50, 44))

    assert asyncio.run(main()) == {"waited": True}


def test_a_prompt_longer_than_its_bound_makes_the_next_bound_larger() -> None:
    """A chat form that adds much is learnt."""

    async def main() -> Tokens:
        purse = Purse(budget=Budget(tokens=10_000))
        first = await purse.reserve(Tokens(10, 10))
        await purse.settle(first, Tokens(10, 10), {"usage": {"prompt_tokens": 510, "completion_tokens": 1}})
        return await purse.reserve(Tokens(10, 10))

    assert asyncio.run(main()) == Tokens(510, 10)


def test_time_is_a_budget() -> None:
    """After it nothing is sent; what is under way is not cut short."""
    now = [100.0]

    async def main() -> None:
        purse = Purse(budget=Budget(seconds=60.0), clock=lambda: now[0])
        reserved = await purse.reserve(Tokens(1, 1))
        now[0] += 61
        with pytest.raises(BudgetError, match="the budget of 60 s is used up"):
            await purse.reserve(Tokens(1, 1))
        await purse.settle(reserved, Tokens(1, 1), {})

    asyncio.run(main())


def test_no_budget_limits_nothing() -> None:
    """And still counts."""
    purse = Purse(spending=Spending())

    asyncio.run(purse.reserve(Tokens(10**9, 10**9)))

    assert purse.under_way == 1
