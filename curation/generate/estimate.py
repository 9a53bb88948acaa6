"""What a run would take: requests, tokens, money and time, each as a range, before anything is paid.

A dry run rehearses the real loop, with the real prompts, on the mock model; how much a real model keeps and how long it
answers is assumed, and said to be. A probe sends a few requests, which stay in the journal, and measures that instead.
"""

import time
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from math import ceil, sqrt
from pathlib import Path
from typing import Any

from curation.generate.budget import in_time, in_usd
from curation.generate.budgeted import write_spent
from curation.generate.endpoint import Answer, Endpoint, Request, read_answer
from curation.generate.journal import Journal, Remembered, open_journal
from curation.generate.prices import Price
from curation.generate.source import Generate
from curation.generate.spending import LIMITS, Spending, Tokens
from curation.generate.waiting import waited_for
from curation.mock.model import chat_body, complete, continue_text
from schemas.codec import canonical
from schemas.errors import YieldError
from schemas.outcome import SILENT, Outcome, Rejection

REHEARSED = 60
"""Records of the rehearsal."""
KEPT_SHARES = (0.8, 0.55, 0.3)
"""Shares of what is written that are kept: at best, usually, at worst."""
BYTES_A_TOKEN = (5.0, 4.0, 3.0)
"""UTF-8 bytes of a prompt for each of its tokens."""
LIMIT_SHARES = (0.25, 0.5, 1.0)
"""Tokens of an answer as a share of its limit."""
TOKENS_A_SECOND = (80.0, 40.0, 20.0)
"""Speed of one answer."""
ASSUMED = (
    "assumed: 30% to 80% of what is written is kept, a prompt has 3 to 5 bytes a token, an answer takes 25% to 100% of "
    "its limit, at 20 to 80 tokens/s. --probe 20 measures instead."
)
PROBE_CONCURRENCY = 2
"""Few at a time, so that a few requests go all the way from instructions to records."""
SURE = 1.96
"""Standard deviations on either side of what was measured: 19 times in 20."""


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


@dataclass(slots=True)
class Rehearsed:
    """An endpoint that costs nothing, and remembers how large each request was."""

    prompt_bytes: int = 0
    limits: int = 0
    requests: int = 0

    async def ask(self, request: Request) -> Answer:
        """Answer as the mock model does."""
        plain = request.plain()
        self.requests += 1
        self.prompt_bytes += len(request.prompt.encode()) + len(canonical(dict(request.constraint)))
        self.prompt_bytes += sum(len(message.content.encode()) for message in request.messages)
        self.limits += int(next((request.params[name] for name in LIMITS if name in request.params), 0))
        body: dict[str, Any] = {**plain, **request.params, **request.constraint}
        made = (continue_text if request.prompt else complete)(body, request.key, seed=1)
        return read_answer(chat_body(made, "rehearsal"))


def dry_run(source: Generate) -> Estimate:
    """Estimate without sending anything."""
    rehearsed = Rehearsed()
    small = replace(source, n=min(source.n, REHEARSED), min_yield=0.0, concurrency=PROBE_CONCURRENCY)
    outcomes = list(waited_for(small.rounds_of(rehearsed, small.form_unasked).outcomes()))
    each = 1 / max(1, len(outcomes))
    rows = _range(source.n / share for share in KEPT_SHARES)
    requests = rows.times(rehearsed.requests * each)
    answers = _product(rows.times(rehearsed.limits * each), LIMIT_SHARES)
    at_once = min(source.concurrency, requests.low)
    return _estimate(
        source,
        requests=requests,
        prompts=_product(rows.times(rehearsed.prompt_bytes * each), [1 / size for size in BYTES_A_TOKEN]),
        answers=answers,
        seconds=_product(answers, [1 / speed / at_once for speed in TOKENS_A_SECOND]),
        basis=ASSUMED,
    )


@dataclass(slots=True)
class Few:
    """Lets a few requests through that are not in the journal yet; then the run is over."""

    endpoint: Endpoint
    journal: Journal
    left: int
    sent: int = 0
    waited_s: float = 0.0
    """Seconds that answers took, added up."""

    async def ask(self, request: Request) -> Answer:
        """Answer, unless there have been enough.

        Raises:
            EnoughError: there have.
        """
        if self.journal.find(request.key) is None:
            if not self.left:
                raise EnoughError
            self.left, self.sent = self.left - 1, self.sent + 1
        started = time.monotonic()
        answer = await self.endpoint.ask(request)
        self.waited_s += time.monotonic() - started
        return answer


class EnoughError(Exception):
    """A probe has sent what it was to send."""


@dataclass(slots=True)
class Probed:
    """What a probe found out; also the aside of its run."""

    outcomes: list[Outcome] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)
    """Keys of the requests that the outcomes came out of; others were on their way to further ones."""
    spending: Spending = field(default_factory=Spending)
    """Of the probe alone."""
    seconds_each: float = 0.0

    def note(self, outcome: Outcome) -> None:
        """Take an outcome into account."""
        self.outcomes.append(outcome)
        self.asked.add(outcome.provenance.request)

    def leave(self, name: str, row: Mapping[str, Any]) -> None:
        """Take into account which requests a record came out of."""
        if name == "requests":
            self.asked.update(str(key) for field, key in row.items() if field != "id")

    def progress(self, what: str, done: int, total: int | None = None, note: str = "") -> None:
        """Show nothing."""


def probe(source: Generate, count: int) -> Estimate:
    """Send a few requests, which stay in the journal, and estimate from what came back.

    Raises:
        YieldError: nothing was kept, so that nothing can be said.
    """
    slow = replace(source, concurrency=PROBE_CONCURRENCY, min_yield=0.0, mode="online")
    probed = Probed()
    with open_journal(Path(slow.journal)) as journal:
        for outcome in waited_for(_probing(slow, journal, count, probed)):
            probed.note(outcome)
    return _measured(source, probed)


async def _probing(source: Generate, journal: Journal, count: int, probed: Probed) -> AsyncGenerator[Outcome, None]:
    """Yield the outcomes of a few requests."""
    purse = source.purse(journal.spending)
    before, answers = purse.spending.tokens, purse.spending.answers
    async with source.endpoints(journal, purse) as endpoint:
        remembered = Remembered(endpoint, journal)
        few = Few(remembered, journal, count)
        try:
            form = await source.form_of(remembered, SILENT)
            async with aclosing(
                source.rounds_of(few, form, aside=probed, closing=endpoint.close).outcomes()
            ) as outcomes:
                async for outcome in outcomes:
                    yield outcome
        except EnoughError:
            pass
        finally:
            spent = purse.spending.tokens.less(before)
            probed.spending = Spending(reported=spent, answers=purse.spending.answers - answers)
            probed.seconds_each = few.waited_s / max(1, few.sent)
            write_spent(journal.folder, purse)


def _measured(source: Generate, probed: Probed) -> Estimate:
    rows, kept = len(probed.outcomes), sum(not isinstance(one, Rejection) for one in probed.outcomes)
    sent = max(1, probed.spending.answers)
    if not kept:
        raise YieldError(f"none of the {rows} records that {sent} requests made was kept; a larger --probe tells more")
    low, high = wilson(kept, rows)
    needed = Range(low=source.n / high, usual=source.n * rows / kept, high=source.n / low)
    requests = needed.times(len(probed.asked) / rows)
    tokens = probed.spending.tokens
    return _estimate(
        source,
        requests=requests,
        prompts=requests.times(tokens.prompt / sent),
        answers=requests.times(tokens.completion / sent),
        seconds=requests.times(probed.seconds_each / source.concurrency),
        basis=(
            f"measured on {sent} requests: {kept} of {rows} records kept ({low:.0%} to {high:.0%}, 19 times in 20), "
            f"{tokens.prompt / sent:,.0f} tokens of prompt and {tokens.completion / sent:,.0f} of answer a request, "
            f"{probed.seconds_each:.1f} s each. The more there is, the less is new."
        ),
    )


def wilson(kept: int, rows: int) -> tuple[float, float]:
    """Return the bounds of a share that was seen `kept` times in `rows` (Wilson 1927)."""
    share, z2 = kept / rows, SURE**2
    middle = share + z2 / (2 * rows)
    spread = SURE * sqrt(share * (1 - share) / rows + z2 / (4 * rows**2))
    return (middle - spread) / (1 + z2 / rows), (middle + spread) / (1 + z2 / rows)


def _estimate(
    source: Generate, *, requests: Range, prompts: Range, answers: Range, seconds: Range, basis: str
) -> Estimate:
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
    return _range(float(price.of(Tokens(ceil(prompt), ceil(answer)))) for prompt, answer in pairs)


def _priced(price: Price | None) -> str:
    if price is None:
        return "no price for this model at this endpoint is known; --price-in and --price-out give one"
    date = f", {price.date}" if price.date else ""
    return f"${price.prompt} and ${price.completion} per million tokens in and out ({price.source}{date})"


def _range(numbers: Iterable[float]) -> Range:
    low, usual, high = numbers
    return Range(low=low, usual=usual, high=high)


def _product(numbers: Range, factors: Iterable[float]) -> Range:
    pairs = zip(asdict(numbers).values(), factors, strict=True)
    return _range(number * factor for number, factor in pairs)
