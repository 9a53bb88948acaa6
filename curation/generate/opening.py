"""Opens what a run asks: the endpoint or the embedded model, and that of the answers where it is another."""

from collections.abc import AsyncIterator
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
from curation.generate.web import ANSWER_KEY_VARIABLE, KEY_VARIABLE, OpenAIEndpoint, open_endpoint
from schemas.models import resolve


@asynccontextmanager
async def open_routes(settings: Settings, journal: Journal, purse: Purse) -> AsyncIterator[Routes]:
    """Open the endpoint, and that of the answers where it is another; each has a limiter of its own."""
    if settings.reparse:
        yield Routes(Nobody(), {})
        return
    jobs = Jobs(journal.folder)

    def limited(endpoint: Endpoint) -> Closable:
        if settings.mode == BATCH and isinstance(endpoint, OpenAIEndpoint):
            batched = Batched(BatchApi(endpoint), jobs, settings.patience)
            return Closing(Budgeted(batched, purse, journal), batched.close)
        return Limited(Budgeted(endpoint, purse, journal), most=settings.concurrency, patience=settings.patience)

    async with AsyncExitStack() as stack:
        usual = limited(await stack.enter_async_context(_open(settings, settings.model, settings.base_url)))
        others = {}
        if settings.answer_model and (settings.answer_base_url or not settings.base_url):
            opened = _open(settings, settings.answer_model, settings.answer_base_url, ANSWER_KEY_VARIABLE)
            others[settings.answer_model] = limited(await stack.enter_async_context(opened))
        yield Routes(usual, others)


def _open(
    settings: Settings, model: str, base_url: str, key: str = KEY_VARIABLE
) -> AbstractAsyncContextManager[Endpoint]:
    if base_url:
        return open_endpoint(base_url, timeout_s=settings.timeout_s, key_variable=key)
    return open_embedded(resolve(model), concurrency=settings.concurrency, timeout_s=settings.timeout_s)
