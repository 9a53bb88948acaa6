"""The loop around a strategy: rounds of requests, judged in order, until there are enough records.

What a run makes is one fixed sequence: round by round, request by request, item by item. A round's requests are decided
by the run's seed and by what earlier rounds made, novelty and gates are judged in that order, and the run ends at its
n-th record. Concurrency only decides when an answer comes in, never what becomes of it. So the same answers give the
same bytes at any concurrency, and a larger n goes on where a smaller one stopped. Answers that had come in beyond the
last record stay in the journal.
"""

import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from itertools import count
from typing import NamedTuple

from curation.generate import coverage
from curation.generate.coverage import Cell, Coverage
from curation.generate.endpoint import Answer, Endpoint, Request
from curation.generate.gates import Gates
from curation.generate.judge import Candidate, Judge
from curation.generate.novelty import Neighbour, Scope
from curation.generate.plan import Turns
from curation.generate.prices import Price
from curation.generate.strategies.shape import Draft, Drafted, Proposal, Seeds, Shelf, Strategy, Turn
from curation.generate.tally import Tally
from curation.generate.under_way import UnderWay
from curation.generate.yields import Metered, Yield, Yields
from schemas.outcome import SILENT, Aside, Outcome, Rejection
from schemas.record import InstructionRecord

AHEAD = 4
"""Answers that may wait for an earlier one to be judged, for each that can be under way at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What a run is to reach, and when it gives up."""

    n: int
    novelty: float
    min_yield: float
    concurrency: int
    scope: Scope = "instruction"
    """What of a record is compared with others."""
    gates: Gates = field(default_factory=Gates)


class Asked(NamedTuple):
    """A strategy and what it proposed."""

    strategy: Strategy
    proposal: Proposal


class Rounds:
    """One run of a plan."""

    def __init__(
        self,
        plan: Turns,
        endpoint: Endpoint,
        seeds: Seeds,
        goal: Goal,
        *,
        aside: Aside = SILENT,
        said: Callable[[float], str] = lambda _: "",
        closing: Callable[[], None] = lambda: None,
        proposed: Callable[[Strategy, Turn, Proposal], None] = lambda *_: None,
        shared: Callable[[Mapping[str, float]], None] = lambda _: None,
        price: Price | None = None,
    ) -> None:
        """Begin with the seeds.

        `said` adds to the progress what the endpoint did in so many seconds; `closing` tells it that nothing more is
        to be sent; `proposed` is told of each proposal before it is asked, `shared` of each
        round's shares; `price` is what these are decided by, tokens where there is none.
        """
        self._plan, self._endpoint, self._goal, self._aside, self._said = plan, endpoint, goal, aside, said
        self._closing, self._proposed, self._shared = closing, proposed, shared
        self._yields = Yields(price)
        self._under_way = UnderWay(goal.concurrency)
        self._seeds = seeds
        self._made: dict[str, list[InstructionRecord]] = {}
        self._judge = Judge(seeds, novelty=goal.novelty, scope=goal.scope, gates=goal.gates)
        self._asked: Counter[str] = Counter()
        self._tally, self._started = Tally(), time.monotonic()
        self._covered: Counter[Cell] = Counter()
        self._covered_by_seeds = coverage.count([one for of_category in seeds.values() for one in of_category])

    async def outcomes(self) -> AsyncGenerator[Outcome, None]:
        """Yield outcomes up to the n-th record, or until nothing is left to work on; leave aside what they cover.

        Raises:
            YieldError: three rounds in a row kept hardly anything.
            EndpointError: it cannot be used, or no longer.
        """
        try:
            async with aclosing(self._rounds()) as outcomes:
                async for outcome in outcomes:
                    self._note(outcome)
                    yield outcome
                    if self._tally.kept == self._goal.n:
                        break
            for row in coverage.rows(self._coverage()):
                self._aside.leave("coverage", row)
        finally:
            self._closing()
            await self._under_way.end()

    async def _rounds(self) -> AsyncGenerator[Outcome, None]:
        for number in count():
            before = replace(self._tally)
            async with aclosing(self._round(number)) as outcomes:
                async for outcome in outcomes:
                    yield outcome
            if self._tally.turns == before.turns:
                return
            self._tally.give_up_if_dry(before, n=self._goal.n, min_yield=self._goal.min_yield)

    async def _round(self, number: int) -> AsyncGenerator[Outcome, None]:
        made = {category: tuple(records) for category, records in self._made.items()}
        shelf = Shelf(
            round=number, seeds=self._seeds, made=made, coverage=self._coverage(), yields=dict(self._yields.seen)
        )
        self._leave_shares(shelf)
        burnt = []
        finished = self._under_way.in_order(
            lambda one: self._finished(one, shelf), self._candidates(shelf), self._ahead
        )
        async for one in finished:
            outcome = self._settled(one)
            if one.key is not None and isinstance(outcome, Rejection):
                burnt.append(one.key)
            yield outcome
        # an instruction that came to nothing bars no other; only now, because a round is judged in order
        for key in burnt:
            self._judge.forget(key)
        self._yields.end_round()

    def _leave_shares(self, shelf: Shelf) -> None:
        """Leave aside how a round's requests are shared, and why; nothing where nobody decides that."""
        shares = self._plan.shares(shelf)
        self._shared(shares)
        for name, share in shares.items():
            seen = shelf.yields.get(name, Yield())
            why = {"kept": round(seen.kept, 2), "cost": float(f"{seen.cost:.6g}"), "unit": self._yields.unit}
            self._aside.leave("shares", {"round": shelf.round, "strategy": name, "share": round(share, 4), **why})

    def _coverage(self) -> Coverage:
        return Coverage(kept=dict(self._covered), seeds=self._covered_by_seeds)

    async def _candidates(self, shelf: Shelf) -> AsyncGenerator[Candidate, None]:
        """Yield what the answers to the round's requests hold, in order."""
        answered = self._under_way.in_order(self._answered, self._proposals(shelf), lambda: self._goal.concurrency)
        async for answers in answered:
            for asked, answer in answers:
                for drafted in _read(asked, answer):
                    yield self._judge.candidate(asked.strategy, drafted)

    async def _proposals(self, shelf: Shelf) -> AsyncGenerator[Asked, None]:
        for strategy, turn in self._plan.turns(shelf):
            proposal = strategy.propose(turn, shelf)
            if proposal is not None:
                self._proposed(strategy, turn, proposal)
                self._tally.turns += 1
                self._yields.turn(proposal.blank.provenance.strategy)
                yield Asked(strategy, self._numbered(proposal))

    def _numbered(self, proposal: Proposal) -> Proposal:
        """Number a request that is the same as an earlier one, so that it is asked again."""
        if proposal.request is None:
            return proposal
        key = proposal.request.key
        self._asked[key] += 1
        return replace(proposal, request=replace(proposal.request, sample=self._asked[key] - 1))

    async def _answered(self, asked: Asked) -> list[tuple[Asked, Answer | None]]:
        """Ask, and once more for the items that a cut answer had no room for."""
        strategy, proposal = asked
        if proposal.request is None:
            return [(asked, None)]
        endpoint = Metered(self, self._yields, proposal.blank.provenance.strategy)
        answer = await endpoint.ask(proposal.request)
        more = proposal.wanted.more(proposal.request, answer) if proposal.wanted else None
        if more is None:
            return [(asked, answer)]
        rest = replace(proposal, wanted=more[0], request=more[1])
        return [(asked, answer), (Asked(strategy, rest), await endpoint.ask(more[1]))]

    async def ask(self, request: Request) -> Answer:
        """Ask the endpoint in its turn, unless the run has ended meanwhile: nothing more is paid for then."""
        async with self._under_way.slot():
            return await self._endpoint.ask(request)

    async def _finished(self, candidate: Candidate, shelf: Shelf) -> Candidate:
        """Have a new instruction done."""
        if not candidate.is_open or isinstance(candidate.drafted, Rejection):
            return candidate
        endpoint = Metered(self, self._yields, candidate.drafted.record.provenance.strategy)
        return replace(candidate, drafted=await candidate.strategy.finish(candidate.drafted, shelf, endpoint))

    def _settled(self, candidate: Candidate) -> Outcome:
        """Return what becomes of a candidate; what is kept is remembered."""
        outcome, near = self._judge.settled(candidate)
        if not isinstance(outcome, Rejection) and isinstance(candidate.drafted, Draft):
            self._made.setdefault(outcome.category, []).append(outcome)
            self._covered.update(coverage.cells(outcome))
            self._yields.keep(outcome.provenance.strategy)
            self._leave(outcome, candidate.drafted, near)
        return outcome

    def _leave(self, record: InstructionRecord, draft: Draft, near: Neighbour | None) -> None:
        """Leave aside what is known of a kept record: its nearest neighbour, and the requests it came out of."""
        score = round(near.score, 4) if near else 0
        self._aside.leave("novelty", {"id": record.id, "other": self._judge.name_of(near), "rouge_l": score})
        self._aside.leave("requests", {"id": record.id, **draft.requests})

    def _note(self, outcome: Outcome) -> None:
        self._tally.note(outcome)
        note = f"{self._tally}{self._said(time.monotonic() - self._started)}"
        self._aside.progress("pairs", self._tally.kept, self._goal.n, note)

    def _ahead(self) -> int:
        """Return how many candidates may be under way: near the end no more than may be needed."""
        return max(1, min(AHEAD * self._goal.concurrency, 2 * (self._goal.n - self._tally.kept)))


def _read(asked: Asked, answer: Answer | None) -> list[Drafted]:
    """Return the drafts of an answer; where nothing was asked, the instruction that was there already."""
    if answer is None:
        return [Draft(record=asked.proposal.blank, given=True)]
    return asked.strategy.read(asked.proposal, answer)
