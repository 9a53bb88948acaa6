"""An endpoint whose every sending is paid out of a purse. It stands next to the wire, within whatever asks again."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from curation.generate.budget import Purse
from curation.generate.endpoint import Answer, Endpoint, Request
from curation.generate.journal import Journal
from curation.generate.spending import Tokens, bound_of, bound_or_nothing
from schemas.codec import dumps, loads
from schemas.errors import BudgetError
from schemas.outcome import Outcome, Rejection

SPENDING = "spending.json"


class Budgeted:
    """Sends a request when the purse can pay for it, and counts what it cost."""

    def __init__(self, endpoint: Endpoint, purse: Purse, journal: Journal) -> None:
        self._endpoint, self._purse, self._journal = endpoint, purse, journal

    async def ask(self, request: Request) -> Answer:
        """Return the answer.

        Raises:
            BudgetError: the purse cannot pay for it.
            Exception: whatever the endpoint raises; where the request may have been billed, that is in the journal.
        """
        bound = self._bound(request)
        expected = self._journal.expects(request.key)
        reserved = self._purse.resume(bound) if expected else await self._purse.reserve(bound)
        try:
            answer = await self._endpoint.ask(request)
        except Exception as error:
            await self._fail(request, reserved, error)
            raise
        except asyncio.CancelledError:
            await self._purse.lose(reserved)  # in the journal it stays a request without an answer
            raise
        await self._purse.settle(reserved, bound, answer.body)
        return answer

    async def _fail(self, request: Request, reserved: Tokens, error: Exception) -> None:
        if maybe_billed(error):
            await self._journal.lost(request.key)
            await self._purse.lose(reserved)
        else:
            await self._purse.release(reserved)

    def _bound(self, request: Request) -> Tokens:
        """Return what a request may cost; only a budget needs it to have a limit."""
        limited = self._purse.budget.tokens is not None or self._purse.budget.usd is not None
        return bound_of(request.plain()) if limited else bound_or_nothing(request.plain())


def maybe_billed(error: Exception) -> bool:
    """Say whether a request may have been worked on though no answer came: a fault that has no HTTP status.

    A refusal, an error of the server and "later" have one, and are not billed.
    """
    return getattr(error, "status", None) == 0


async def told_how_far(outcomes: AsyncGenerator[Outcome, None], n: int) -> AsyncGenerator[Outcome, None]:
    """Yield outcomes; where the budget ends them, say how far they came and what to do."""
    kept = 0
    try:
        async with aclosing(outcomes):
            async for outcome in outcomes:
                kept += not isinstance(outcome, Rejection)
                yield outcome
    except BudgetError as error:
        rest = f", -n {kept} writes those and asks for nothing new" if kept else ""
        message = f"{error}. {kept:,} of {n:,} records so far; a larger --budget goes on from here{rest}."
        raise BudgetError(message) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What was spent with a journal, over all runs."""

    prompt_tokens: int
    completion_tokens: int
    estimated_tokens: int
    """Of both, those of answers that did not say what they cost."""
    unanswered_tokens: int
    """Of both, those of requests that may have been billed without an answer."""
    answers: int
    usd: str | None
    """Exact, as a decimal number; None: the price is unknown."""
    price: dict[str, Any] | None
    """US dollars per million tokens, where they come from, and the hash of the price file."""
    budget: str
    words: str
    """The same for people."""

    def __str__(self) -> str:
        return self.words


def spent(purse: Purse) -> Spent:
    """Return what a purse was used for."""
    spending, price = purse.spending, purse.price
    return Spent(
        prompt_tokens=spending.tokens.prompt,
        completion_tokens=spending.tokens.completion,
        estimated_tokens=spending.estimated.total,
        unanswered_tokens=spending.unanswered.total,
        answers=spending.answers,
        usd=None if purse.usd is None else f"{purse.usd:f}",
        price=None if price is None else {name: str(value) for name, value in asdict(price).items() if value != ""},
        budget=str(purse.budget),
        words=str(purse),
    )


def write_spent(folder: Path, purse: Purse) -> None:
    """Write down beside the answers what they cost; for people, the journal itself is what is counted."""
    (folder / SPENDING).write_bytes(dumps(asdict(spent(purse))) + b"\n")


def read_spent(folder: Path) -> Spent:
    """Return what the last run with the journal in `folder` wrote down."""
    return Spent(**loads((folder / SPENDING).read_bytes()))
