"""A probe: a few requests of the real run, which stay in its journal, and what they say about the rest."""

import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from curation.generate.budgeted import write_spent
from curation.generate.endpoint import Answer, Endpoint, Request
from curation.generate.estimate import AT_A_TIME, Estimate, Range, estimate_of
from curation.generate.journal import Journal, Remembered, open_journal
from curation.generate.opening import open_routes
from curation.generate.source import Generate
from curation.generate.spending import Spending
from curation.generate.waiting import waited_for
from schemas.errors import YieldError
from schemas.interval import wilson
from schemas.outcome import SILENT, Outcome, Rejection


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
    slow = replace(source, concurrency=AT_A_TIME, min_yield=0.0, mode="online")
    probed = Probed()
    with open_journal(Path(slow.journal)) as journal:
        for outcome in waited_for(_probing(slow, journal, count, probed)):
            probed.note(outcome)
    return _measured(source, probed)


async def _probing(source: Generate, journal: Journal, count: int, probed: Probed) -> AsyncGenerator[Outcome, None]:
    """Yield the outcomes of a few requests."""
    purse = source.purse(journal.spending)
    before, answers = purse.spending.tokens, purse.spending.answers
    async with open_routes(source, journal, purse) as endpoint:
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
    return estimate_of(
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
