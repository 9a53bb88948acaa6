"""What a run may spend: `5usd`, `2Mtok`, `30min`, or several of them. Read from words, kept by reservation.

Before a request is sent the most that it can cost is set aside; when its answer is there, what it did cost is counted
instead. So the budget holds with any number of requests under way. A request that does not fit beside those under way
waits until they are settled; one that does not fit at all ends the run.
"""

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from curation.generate.prices import Price
from curation.generate.spending import NOTHING, Spending, Tokens
from schemas.errors import BudgetError, InputError

UNITS = {
    "usd": ("usd", Decimal(1)), "$": ("usd", Decimal(1)), "cent": ("usd", Decimal("0.01")),
    "cents": ("usd", Decimal("0.01")),
    "tok": ("tokens", Decimal(1)), "token": ("tokens", Decimal(1)), "tokens": ("tokens", Decimal(1)),
    "ktok": ("tokens", Decimal(1_000)), "mtok": ("tokens", Decimal(1_000_000)), "gtok": ("tokens", Decimal(10**9)),
    "s": ("seconds", Decimal(1)), "sec": ("seconds", Decimal(1)), "m": ("seconds", Decimal(60)),
    "min": ("seconds", Decimal(60)), "h": ("seconds", Decimal(3_600)), "d": ("seconds", Decimal(86_400)),
}  # fmt: skip
"""Unit → what it limits, and how much of that it is."""
EXAMPLES = "5usd, 2Mtok, 30min, or several of them: 5usd,30min"
_PART = re.compile(r"(?P<dollar>\$?)\s*(?P<number>\d[\d_]*(?:\.\d+)?|\.\d+)\s*(?P<unit>[a-zA-Z$]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Limits of a run, each of them or none."""

    usd: Decimal | None = None
    """US dollars, of this run and of those before it with the same journal."""
    tokens: int | None = None
    """Tokens in and out, of this run and of those before it."""
    seconds: float | None = None
    """Seconds of this run after which nothing more is sent."""

    def __str__(self) -> str:
        parts = (
            None if self.usd is None else in_usd(self.usd),
            None if self.tokens is None else f"{self.tokens:,} tokens",
            None if self.seconds is None else in_time(self.seconds),
        )
        return ", ".join(part for part in parts if part) or "none"


def read_budget(text: str) -> Budget:
    """Read a budget from words; an empty text is no limit.

    Raises:
        InputError: not a budget, twice the same limit, or nothing at all allowed.
    """
    limits: dict[str, Decimal] = {}
    for part in re.split(r"[,+;]|\sand\s", text) if text.strip() else ():
        what, amount = _limit(part.strip(), text)
        if what in limits:
            raise InputError(place="--budget", expected=f"one limit in {what}", found=text)
        limits[what] = amount
    seconds = limits.get("seconds")
    return Budget(
        usd=limits.get("usd"),
        tokens=int(limits["tokens"]) if "tokens" in limits else None,
        seconds=None if seconds is None else float(seconds),
    )


def _limit(part: str, text: str) -> tuple[str, Decimal]:
    match = _PART.fullmatch(part)
    unit = (match["dollar"] or match["unit"]).lower() if match else ""
    if match is None or unit not in UNITS or (match["dollar"] and match["unit"].lower() not in ("", "usd")):
        raise InputError(place="--budget", expected=EXAMPLES, found=repr(text))
    what, factor = UNITS[unit]
    amount = Decimal(match["number"].replace("_", "")) * factor
    if amount <= 0 or (what == "tokens" and amount < 1):
        raise InputError(place="--budget", expected="more than nothing", found=repr(text))
    return what, amount


def in_usd(amount: Decimal) -> str:
    """Return US dollars for people: cents, and more digits where that would be nothing."""
    return f"${amount:,.2f}" if amount == 0 or amount >= 1 else f"${amount:.4f}"


def in_time(seconds: float) -> str:
    """Return seconds for people."""
    if seconds < 90:  # noqa: PLR2004  # a minute and a half
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02} min"  # noqa: PLR2004  # two hours


@dataclass(slots=True, kw_only=True)
class Purse:
    """Keeps a budget. For the coroutines of one event loop."""

    budget: Budget = field(default_factory=Budget)
    price: Price | None = None
    """None: unknown; then nothing is said in dollars."""
    spending: Spending = field(default_factory=Spending)
    clock: Callable[[], float] = time.monotonic
    under_way: int = 0
    """Requests that something is set aside for."""
    _reserved: Tokens = NOTHING
    _more: int = 0
    """Tokens by which a prompt was longer than its bound: chat forms differ, and the next bound is larger by that."""
    _started: float = 0.0
    _waiting: asyncio.Condition = field(default_factory=asyncio.Condition)

    def __post_init__(self) -> None:
        """Begin.

        Raises:
            InputError: a limit in dollars, and no price.
        """
        self._started = self.clock()
        if self.budget.usd is not None and self.price is None:
            found = "a model whose price is unknown: give --price-in and --price-out, in dollars per million tokens"
            raise InputError(place="--budget", field="usd", expected="a price", found=found)

    async def reserve(self, bound: Tokens) -> Tokens:
        """Set aside what a request may cost; returns how much.

        Raises:
            BudgetError: it is more than what is left.
        """
        async with self._waiting:
            while True:
                wanted = Tokens(bound.prompt + self._more, bound.completion)
                if self._fits(wanted):
                    self._reserved, self.under_way = self._reserved.plus(wanted), self.under_way + 1
                    return wanted
                if not self.under_way or self._out_of_time():
                    raise BudgetError(self._reached(wanted))
                await self._waiting.wait()

    def resume(self, bound: Tokens) -> Tokens:
        """Set aside what counts as lost since an earlier run, because its answer is still to come; returns how much."""
        self.spending.find(bound)
        self._reserved, self.under_way = self._reserved.plus(bound), self.under_way + 1
        return bound

    async def settle(self, reserved: Tokens, bound: Tokens, body: Mapping[str, Any]) -> None:
        """Count an answer instead of what was set aside for it."""
        before = self.spending.reported.prompt
        self.spending.settle(reserved, body)
        self._more = max(self._more, self.spending.reported.prompt - before - bound.prompt)
        await self.release(reserved)

    async def lose(self, reserved: Tokens) -> None:
        """Count what was set aside as spent: it may have been billed, and no answer came."""
        self.spending.lose(reserved)
        await self.release(reserved)

    async def release(self, reserved: Tokens) -> None:
        """Set nothing aside any more."""
        async with self._waiting:
            self._reserved, self.under_way = self._reserved.less(reserved), self.under_way - 1
            self._waiting.notify_all()

    @property
    def usd(self) -> Decimal | None:
        """US dollars spent; unknown without a price."""
        return None if self.price is None else self.price.spent(self.spending)

    def _fits(self, wanted: Tokens) -> bool:
        aside = self._reserved.plus(wanted)
        tokens, usd = self.budget.tokens, self.budget.usd
        if tokens is not None and self.spending.tokens.total + aside.total > tokens:
            return False
        if usd is not None and self.price is not None:
            return self.price.spent(self.spending) + self.price.of(aside) <= usd and not self._out_of_time()
        return not self._out_of_time()

    def _out_of_time(self) -> bool:
        return self.budget.seconds is not None and self.clock() - self._started >= self.budget.seconds

    def _reached(self, wanted: Tokens) -> str:
        if self._out_of_time():
            return f"the budget of {self.budget} is used up; {self}"
        costs = f"{wanted.total:,} tokens"
        costs = costs if self.price is None else f"{costs} ({in_usd(self.price.of(wanted))})"
        return f"the budget of {self.budget} is used up: {self}, and the next request may cost {costs}"

    def __str__(self) -> str:
        spent = self.spending
        usd = "" if self.usd is None else f"{in_usd(self.usd)} "
        notes = (
            f"{spent.silent:,} answers did not say what they cost and are estimated" if spent.silent else "",
            f"{spent.lost:,} requests have no answer and may have been billed" if spent.lost else "",
        )
        said = "; ".join(note for note in notes if note)
        return f"spent {usd}{'in ' if usd else ''}{spent.tokens.total:,} tokens{f' ({said})' if said else ''}"
