"""What a run would take: requests, tokens, money and time, each as a range, before anything is paid.

A dry run (`curation.generate.rehearse`) assumes how much a model keeps and how long it answers, and says so; a probe
(`curation.generate.probe`) sends a few requests, which stay in the journal, and measures it.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from decimal import Decimal
from math import ceil
from pathlib import Path
from typing import Any

from curation.generate.budget import in_time, in_usd
from curation.generate.journal import open_journal
from curation.generate.prices import Price
from curation.generate.source import Generate
from curation.generate.spending import Tokens

AT_A_TIME = 2
"""Requests at a time while a run is tried: few, so that a few requests go all the way from instructions to records."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A number that is not known exactly."""

    low: float
    usual: float
    high: float

    def times(self, factor: float) -> "Range":
        """Return the range of a multiple."""
        return Range(low=self.low * factor, usual=self.usual * factor, high=self.high * factor)

    def plus(self, other: "Range") -> "Range":
        """Return the range of the sum of two numbers that are high together."""
        return Range(low=self.low + other.low, usual=self.usual + other.usual, high=self.high + other.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a run would take."""

    n: int
    requests: Range
    prompt_tokens: Range
    completion_tokens: Range
    usd: Range | None
    """None: the price is unknown."""
    seconds: Range
    answered: int
    """Answers that the journal holds already; they are part of the requests, and not paid again."""
    price: str
    basis: str
    """What was assumed or measured."""

    def __str__(self) -> str:
        tokens = self.prompt_tokens.plus(self.completion_tokens)
        kinds = f"prompts about {self.prompt_tokens.usual:,.0f}, answers about {self.completion_tokens.usual:,.0f}"
        held = f"; the journal holds {self.answered:,} answers, which are not asked for again" if self.answered else ""
        cost = f"unknown: {self.price}" if self.usd is None else f"{_of(self.usd, _usd)}, at {self.price}"
        return "\n".join(
            (
                f"requests  {_of(self.requests, _count)} for {self.n:,} records{held}",
                f"tokens    {_of(tokens, _count)}: {kinds}",
                f"cost      {cost}",
                f"time      {_of(self.seconds, in_time)}",
                self.basis,
            )
        )

    def plain(self) -> dict[str, Any]:
        """Return the estimate for programs."""
        return {"event": "estimate", **asdict(self)}


def _of(numbers: Range, said: Callable[[float], str]) -> str:
    return f"about {said(numbers.usual)} ({said(numbers.low)} to {said(numbers.high)})"


def _count(number: float) -> str:
    return f"{ceil(number):,}"


def _usd(number: float) -> str:
    return in_usd(Decimal(str(round(number, 6))))


def estimate_of(
    source: Generate, *, requests: Range, prompts: Range, answers: Range, seconds: Range, basis: str
) -> Estimate:
    """Return the estimate of a run: what it takes, at its price."""
    price = source.purse().price
    return Estimate(
        n=source.n,
        requests=requests,
        prompt_tokens=prompts,
        completion_tokens=answers,
        usd=None if price is None else _cost(price, prompts, answers),
        seconds=seconds,
        answered=_answered(source),
        price=_priced(price),
        basis=basis,
    )


def _answered(source: Generate) -> int:
    if not source.journal or not Path(source.journal).is_dir():
        return 0
    with open_journal(Path(source.journal)) as journal:
        return journal.spending.answers


def _cost(price: Price, prompts: Range, answers: Range) -> Range:
    pairs = zip(asdict(prompts).values(), asdict(answers).values(), strict=True)
    return range_of(float(price.of(Tokens(ceil(prompt), ceil(answer)))) for prompt, answer in pairs)


def _priced(price: Price | None) -> str:
    if price is None:
        return "no price for this model at this endpoint is known; --price-in and --price-out give one"
    date = f", {price.date}" if price.date else ""
    return f"${price.prompt} and ${price.completion} per million tokens in and out ({price.source}{date})"


def range_of(numbers: Iterable[float]) -> Range:
    """Return the range of three numbers: low, usual, high."""
    low, usual, high = numbers
    return Range(low=low, usual=usual, high=high)


def product(numbers: Range, factors: Iterable[float]) -> Range:
    """Return the range of a product with three factors: low, usual, high."""
    pairs = zip(asdict(numbers).values(), factors, strict=True)
    return range_of(number * factor for number, factor in pairs)
