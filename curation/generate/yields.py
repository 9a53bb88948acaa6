"""What each strategy has brought in for what it cost: the evidence that shares are decided on.

Costs are those of the answers in the journal, counted at the end of a round, when all of its requests are answered: so
they are the same at any concurrency and after any interruption, whatever a killed run was billed besides.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from curation.generate.endpoint import Answer, Endpoint, Request
from curation.generate.prices import Price
from curation.generate.spending import bound_or_nothing, usage_of
from schemas.codec import dumps, loads

FADE = 0.9
"""What a round counts for in the next one: as the pool fills up a strategy yields less than it did."""
PRICE = "shares_price.json"


class Yield(NamedTuple):
    """What a strategy has brought in up to the end of a round."""

    kept: float = 0.0
    """Records that were kept, those of earlier rounds faded."""
    cost: float = 0.0
    """US dollars, or tokens, faded likewise."""
    turns: int = 0
    """Requests for instructions, all of them."""


@dataclass(slots=True)
class Yields:
    """Counts what strategies bring in and cost, round by round."""

    price: Price | None = None
    """None, or of nothing: tokens are counted instead."""
    seen: dict[str, Yield] = field(default_factory=dict)
    """Up to the end of the last round."""
    _kept: Counter[str] = field(default_factory=Counter)
    _turns: Counter[str] = field(default_factory=Counter)
    _cost: dict[str, Decimal] = field(default_factory=dict)

    @property
    def unit(self) -> str:
        """What costs are counted in."""
        return "usd" if self.price and (self.price.prompt or self.price.completion) else "tokens"

    def turn(self, strategy: str) -> None:
        """Count a request for instructions."""
        self._turns[strategy] += 1

    def keep(self, strategy: str) -> None:
        """Count a record."""
        self._kept[strategy] += 1

    def paid(self, strategy: str, request: Request, answer: Answer) -> None:
        """Count what an answer cost, by its own report, or at most."""
        usage = usage_of(answer.body)
        tokens = usage.tokens if usage else bound_or_nothing(request.plain())
        cost = Decimal(tokens.total)
        if self.price and self.unit == "usd":
            cost = usage.usd if usage and usage.usd is not None else self.price.of(tokens)
        self._cost[strategy] = self._cost.get(strategy, Decimal(0)) + cost

    def end_round(self) -> None:
        """Add what the round came to, and let the earlier ones fade."""
        for name in {**self.seen, **self._turns, **self._kept, **self._cost}:
            old = self.seen.get(name, Yield())
            self.seen[name] = Yield(
                kept=FADE * old.kept + self._kept[name],
                cost=FADE * old.cost + float(self._cost.get(name, 0)),
                turns=old.turns + self._turns[name],
            )
        self._kept.clear()
        self._turns.clear()
        self._cost.clear()


@dataclass(frozen=True, slots=True)
class Metered:
    """An endpoint whose answers are counted as a strategy's."""

    endpoint: Endpoint
    yields: Yields
    strategy: str

    async def ask(self, request: Request) -> Answer:
        """Return the answer."""
        answer = await self.endpoint.ask(request)
        self.yields.paid(self.strategy, request, answer)
        return answer


def price_of_journal(folder: Path, price: Price | None) -> Price | None:
    """Return the price that shares are decided by: that of the first run with a journal, whatever it costs today.

    The same journal must come to the same decisions.
    """
    path = folder / PRICE
    if not path.exists():
        row = None if price is None else {name: str(value) for name, value in asdict(price).items()}
        path.write_bytes(dumps({"price": row}) + b"\n")
    found: Mapping[str, str] | None = loads(path.read_bytes())["price"]
    if found is None:
        return None
    return Price(**{**found, **{name: Decimal(found[name]) for name in ("prompt", "completion")}})  # type: ignore[arg-type]  # two are numbers
