"""Asks an endpoint some questions, for a judge; every answer is journalled, so that nothing is asked twice."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from curation.generate.budget import Purse, read_budget
from curation.generate.budgeted import Budgeted, write_spent
from curation.generate.embedded import open_embedded
from curation.generate.endpoint import Answer, Endpoint, Request
from curation.generate.journal import Journal, Remembered, open_journal
from curation.generate.limiter import Limited
from curation.generate.opening import knowing
from curation.generate.prices import find_price
from curation.generate.under_way import UnderWay
from curation.generate.web import open_endpoint
from curation.generate.weights import hold_to_weights
from schemas.models import resolve
from schemas.outcome import Aside

AT_ONCE = 8
"""Questions under way at a time."""

TIMEOUT_S = 300.0
"""Seconds that one question may take."""

Ask = Callable[[Sequence[Request]], list[Answer]]
"""Returns the answers to some questions, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Whom to ask."""

    model: str
    base_url: str = ""
    """Address of an OpenAI-compatible endpoint; empty: the model runs in this process."""
    journal: Path
    """Folder of the answers."""
    budget: str = ""
    """What may be spent, as for `generate`."""

    def open(self) -> AbstractAsyncContextManager[Endpoint]:
        """Open the endpoint."""
        if self.base_url:
            return open_endpoint(self.base_url, timeout_s=TIMEOUT_S)
        return open_embedded(resolve(self.model), concurrency=AT_ONCE, timeout_s=TIMEOUT_S)

    def purse(self, journal: Journal) -> Purse:
        """Return the budget, less what the journal's answers cost."""
        price = find_price(self.model, self.base_url)
        return Purse(budget=read_budget(self.budget), price=price, spending=journal.spending)


@contextmanager
def open_judge(judge: Judge, aside: Aside) -> Iterator[Ask]:
    """Open the journal; the endpoint is opened when a question comes that the journal has no answer to.

    Raises:
        InputError: the journal's answers are of other weights at the same path.
        EndpointError: it cannot be used, or no longer; the answers so far are kept.
        BudgetError: the budget cannot pay for the next question.
    """
    with open_journal(judge.journal) as journal, asyncio.Runner() as runner:
        hold_to_weights(journal.folder, () if judge.base_url else (judge.model,))
        purse, stack = judge.purse(journal), AsyncExitStack()
        endpoint = Remembered(
            Limited(Budgeted(_OnDemand(judge, stack, journal), purse, journal), most=AT_ONCE), journal
        )
        try:
            yield lambda requests: runner.run(_answers(endpoint, requests, aside))
        finally:
            runner.run(stack.aclose())
            endpoint.sum_up()
            write_spent(journal.folder, purse)


class _OnDemand:
    """An endpoint that is opened by its first question."""

    def __init__(self, judge: Judge, stack: AsyncExitStack, journal: Journal) -> None:
        self._judge, self._stack, self._journal = judge, stack, journal
        self._opening = asyncio.Lock()
        self._endpoint: Endpoint | None = None

    async def ask(self, request: Request) -> Answer:
        """Return the answer."""
        async with self._opening:
            if self._endpoint is None:
                self._endpoint = knowing(await self._stack.enter_async_context(self._judge.open()), self._journal)
        return await self._endpoint.ask(request)


async def _answers(endpoint: Endpoint, requests: Sequence[Request], aside: Aside) -> list[Answer]:
    """Return the answers in order; where asking ends early, what is under way is waited for, because it is paid for."""
    under_way, answers = UnderWay(AT_ONCE), list[Answer]()

    async def ask(request: Request) -> Answer:
        async with under_way.slot():
            return await endpoint.ask(request)

    try:
        async for answer in under_way.in_order(ask, _each(requests), lambda: AT_ONCE):
            answers.append(answer)
            aside.progress("ask the judge", len(answers), len(requests))
    finally:
        await under_way.end()
    return answers


async def _each(requests: Sequence[Request]) -> AsyncIterator[Request]:
    for request in requests:
        yield request
