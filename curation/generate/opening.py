"""Opens what a run asks: the endpoint or the embedded model, and that of the answers where it is another."""

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from curation.generate.batch_api import BatchApi
from curation.generate.batched import Batched
from curation.generate.budget import Purse
from curation.generate.budgeted import Budgeted
from curation.generate.embedded import open_embedded
from curation.generate.endpoint import Endpoint
from curation.generate.jobs import Jobs
from curation.generate.journal import Journal
from curation.generate.limiter import Limited
from curation.generate.replay import Nobody
from curation.generate.routes import Closable, Closing, Routes
from curation.generate.settings import BATCH, Settings
from curation.generate.spread import Lane, Spread
from curation.generate.web import ANSWER_KEY_VARIABLE, KEY_VARIABLE, OpenAIEndpoint, open_endpoint
from curation.generate.weights import hold_to_weights
from schemas.models import resolve

log = logging.getLogger(__name__)


@asynccontextmanager
async def open_routes(
    settings: Settings, journal: Journal, purse: Purse, *, dropped: Callable[[str], None] = log.warning
) -> AsyncIterator[Routes]:
    """Open the endpoint or several, and that of the answers where it is another; each has a limiter of its own.

    `dropped` is told of each of several endpoints that is asked no more.
    """
    if settings.reparse:
        yield Routes(Nobody(), {}, Nobody())
        return
    hold_to_weights(journal.folder, settings.embedded)
    jobs = Jobs(journal.folder)
    if settings.mode == BATCH:
        jobs.reopen(journal.waits)
        journal.expect(key for job in jobs.open for key in job.keys)

    def online(endpoint: Endpoint) -> Closable:
        return Limited(Budgeted(endpoint, purse, journal), most=settings.concurrency, patience=settings.patience)

    def limited(endpoint: Endpoint) -> Closable:
        if settings.mode == BATCH and isinstance(endpoint, OpenAIEndpoint):
            batched = Batched(BatchApi(endpoint), jobs, settings.patience)
            return Closing(Budgeted(batched, purse, journal), batched.close)
        return online(endpoint)

    def spread(endpoints: list[Endpoint]) -> Closable:
        weights = settings.weight or (1,) * len(endpoints)
        pairs = zip(endpoints, weights, strict=True)
        lanes = [Lane(endpoint=Budgeted(endpoint, purse, journal), weight=weight) for endpoint, weight in pairs]
        return Spread(lanes, most=settings.concurrency, patience=settings.patience, dropped=dropped)

    async with AsyncExitStack() as stack:
        opened = [knowing(await stack.enter_async_context(one), journal) for one in _usual(settings)]
        usual = limited(opened[0]) if len(opened) == 1 else spread(opened)
        others = {}
        if settings.answer_model and (settings.answer_base_url or not settings.addresses):
            other = _open(settings, settings.answer_model, settings.answer_base_url, ANSWER_KEY_VARIABLE)
            others[settings.answer_model] = limited(knowing(await stack.enter_async_context(other), journal))
        yield Routes(usual, others, online(opened[0]) if settings.mode == BATCH else usual)


def knowing(endpoint: Endpoint, journal: Journal) -> Endpoint:
    """Tell an endpoint which models have answered in earlier runs."""
    if isinstance(endpoint, OpenAIEndpoint):
        endpoint.answered |= journal.models
    return endpoint


def _usual(settings: Settings) -> Iterator[AbstractAsyncContextManager[Endpoint]]:
    """Yield what has the model, each with a key of its own: nobody is shown another's."""
    for number, address in enumerate(settings.addresses or ("",), start=1):
        key = KEY_VARIABLE if number == 1 else f"{KEY_VARIABLE}_{number}"
        yield _open(settings, settings.model, address, key)


def _open(
    settings: Settings, model: str, base_url: str, key: str = KEY_VARIABLE
) -> AbstractAsyncContextManager[Endpoint]:
    if base_url:
        return open_endpoint(base_url, timeout_s=settings.timeout_s, key_variable=key)
    return open_embedded(resolve(model), concurrency=settings.concurrency, timeout_s=settings.timeout_s)
