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

from curation.generate.endpoint import Answer, Endpoint, Request
from curation.generate.gates import judge_instruction, judge_record
from curation.generate.novelty import Neighbour, Pool
from curation.generate.strategies.shape import Draft, Drafted, Proposal, Shelf, Strategy
from curation.generate.under_way import UnderWay
from schemas.errors import YieldError
from schemas.outcome import SILENT, Aside, Outcome, Rejection, reject
from schemas.record import InstructionRecord, Reason

DRY_ROUNDS = 3
"""Rounds under the least yield, one after another, after which generation stops."""
AHEAD = 4
"""Answers that may wait for an earlier one to be judged, for each that can be under way at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What a run is to reach, and when it gives up."""

    n: int
    novelty: float
    min_yield: float
    concurrency: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What an answer holds, on its way to an outcome."""

    drafted: Drafted
    near: Neighbour | None = None
    """The most similar instruction there was when it came in its turn."""
    key: int | None = None
    """Its own key in the pool; None: it is not new, or was rejected before that was asked."""


@dataclass(slots=True)
class Tally:
    """What has happened so far."""

    kept: int = 0
    rows: int = 0
    dry: int = 0
    """Rounds in a row that hardly kept anything."""
    reasons: Counter[str] = field(default_factory=Counter)


class Rounds:
    """One run of a strategy."""

    def __init__(
        self,
        strategy: Strategy,
        endpoint: Endpoint,
        seeds: Mapping[str, list[InstructionRecord]],
        goal: Goal,
        *,
        aside: Aside = SILENT,
        said: Callable[[float], str] = lambda _: "",
        closing: Callable[[], None] = lambda: None,
    ) -> None:
        """Begin with the seeds.

        `said` adds to the progress what the endpoint did in so many seconds; `closing` tells it that nothing more is
        to be sent.
        """
        self._strategy, self._endpoint, self._goal, self._aside, self._said = strategy, endpoint, goal, aside, said
        self._closing = closing
        self._under_way = UnderWay(goal.concurrency)
        self._seeds = seeds
        self._made: dict[str, list[InstructionRecord]] = {}
        self._pool, self._names = Pool(), dict[int, str]()
        self._asked: Counter[str] = Counter()
        self._tally, self._started = Tally(), time.monotonic()
        for seed in (one for of_category in seeds.values() for one in of_category):
            self._names[self._pool.add(self._pool.encode(seed.instruction))] = seed.id

    async def outcomes(self) -> AsyncGenerator[Outcome, None]:
        """Yield outcomes up to the n-th record.

        Raises:
            YieldError: three rounds in a row kept hardly anything.
            EndpointError: it cannot be used, or no longer.
        """
        try:
            for number in count():
                before = replace(self._tally)
                async with aclosing(self._round(number)) as outcomes:
                    async for outcome in outcomes:
                        self._note(outcome)
                        yield outcome
                        if self._tally.kept == self._goal.n:
                            return
                self._give_up_if_dry(before)
        finally:
            self._closing()
            await self._under_way.end()

    async def _round(self, number: int) -> AsyncGenerator[Outcome, None]:
        made = {category: tuple(records) for category, records in self._made.items()}
        shelf = Shelf(round=number, seeds=self._seeds, made=made)
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
            self._pool.remove(key)

    async def _candidates(self, shelf: Shelf) -> AsyncGenerator[Candidate, None]:
        """Yield what the answers to the round's requests hold, in order."""
        answered = self._under_way.in_order(self._answered, self._proposals(shelf), lambda: self._goal.concurrency)
        async for answers in answered:
            for proposal, answer in answers:
                for drafted in self._strategy.read(proposal, answer):
                    yield self._candidate(drafted)

    async def _proposals(self, shelf: Shelf) -> AsyncGenerator[Proposal, None]:
        for proposal in self._strategy.propose(shelf):
            yield self._numbered(proposal)

    def _numbered(self, proposal: Proposal) -> Proposal:
        """Number a request that is the same as an earlier one, so that it is asked again."""
        key = proposal.request.key
        self._asked[key] += 1
        return replace(proposal, request=replace(proposal.request, sample=self._asked[key] - 1))

    async def _answered(self, proposal: Proposal) -> list[tuple[Proposal, Answer]]:
        """Ask, and once more for the items that a cut answer had no room for."""
        answer = await self.ask(proposal.request)
        more = proposal.wanted.more(proposal.request, answer) if proposal.wanted else None
        if more is None:
            return [(proposal, answer)]
        rest = replace(proposal, wanted=more[0], request=more[1])
        return [(proposal, answer), (rest, await self.ask(rest.request))]

    async def ask(self, request: Request) -> Answer:
        """Ask the endpoint in its turn, unless the run has ended meanwhile: nothing more is paid for then."""
        async with self._under_way.slot():
            return await self._endpoint.ask(request)

    def _candidate(self, drafted: Drafted) -> Candidate:
        """Judge an instruction, and enter it in the pool if it is new."""
        if isinstance(drafted, Rejection):
            return Candidate(drafted=drafted)
        judged = judge_instruction(drafted.record)
        if isinstance(judged, Rejection):
            return Candidate(drafted=judged)
        codes = self._pool.encode(drafted.record.instruction)
        near = self._pool.nearest(codes)
        if near and near.score > self._goal.novelty:
            return Candidate(drafted=drafted, near=near)
        return Candidate(drafted=drafted, near=near, key=self._pool.add(codes))

    async def _finished(self, candidate: Candidate, shelf: Shelf) -> Candidate:
        """Have a new instruction done."""
        if candidate.key is None or isinstance(candidate.drafted, Rejection):
            return candidate
        return replace(candidate, drafted=await self._strategy.finish(candidate.drafted, shelf, self))

    def _settled(self, candidate: Candidate) -> Outcome:
        """Return what becomes of a candidate, and remember it."""
        drafted = candidate.drafted
        outcome = drafted if isinstance(drafted, Rejection) else self._judged(candidate, drafted)
        if candidate.key is not None:
            self._names[candidate.key] = outcome.id
        return outcome

    def _judged(self, candidate: Candidate, draft: Draft) -> Outcome:
        if candidate.key is None and candidate.near:
            return reject(draft.record, self._not_novel(candidate.near))
        outcome = judge_record(draft.record)
        if isinstance(outcome, InstructionRecord):
            self._made.setdefault(outcome.category, []).append(outcome)
            self._leave(outcome, draft, candidate.near)
        return outcome

    def _not_novel(self, near: Neighbour) -> Reason:
        return Reason(
            code="instruction_not_novel",
            field="instruction",
            found=f"ROUGE-L {near.score:.2f}",
            limit=f"{self._goal.novelty:g}",
            other=self._names[near.key],
            scores={"rouge_l": round(near.score, 4)},
        )

    def _leave(self, record: InstructionRecord, draft: Draft, near: Neighbour | None) -> None:
        """Leave aside what is known of a kept record: its nearest neighbour, and the requests it came out of."""
        other = self._names[near.key] if near else ""
        self._aside.leave("novelty", {"id": record.id, "other": other, "rouge_l": round(near.score, 4) if near else 0})
        self._aside.leave("requests", {"id": record.id, **draft.requests})

    def _note(self, outcome: Outcome) -> None:
        tally = self._tally
        tally.rows += 1
        tally.kept += not isinstance(outcome, Rejection)
        if isinstance(outcome, Rejection):
            tally.reasons.update(reason.code for reason in outcome.reasons)
        self._aside.progress("pairs", tally.kept, self._goal.n, self._progress_note())

    def _progress_note(self) -> str:
        top = "".join(f", mostly {code}" for code, _ in self._tally.reasons.most_common(1))
        share = self._tally.kept / self._tally.rows
        return f"{share:.0%} of {self._tally.rows:,} kept{top}{self._said(time.monotonic() - self._started)}"

    def _ahead(self) -> int:
        """Return how many candidates may be under way: near the end no more than may be needed."""
        return max(1, min(AHEAD * self._goal.concurrency, 2 * (self._goal.n - self._tally.kept)))

    def _give_up_if_dry(self, before: Tally) -> None:
        rows, kept = self._tally.rows - before.rows, self._tally.kept - before.kept
        self._tally.dry = 0 if rows and kept >= self._goal.min_yield * rows else self._tally.dry + 1
        if self._tally.dry == DRY_ROUNDS:
            raise YieldError(self._dried_up())

    def _dried_up(self) -> str:
        kept, goal = self._tally.kept, self._goal
        top = ", ".join(f"{code} {number:,}" for code, number in self._tally.reasons.most_common(3)) or "none"
        rest = f"-n {kept} writes those and asks for nothing new" if kept else "nothing was kept"
        return (
            f"generation dried up: {DRY_ROUNDS} rounds in a row kept less than {goal.min_yield:.0%} of what was "
            f"written; {kept:,} of {goal.n:,} records so far ({rest}). Most frequent reasons: {top}. More varied seeds "
            f"(--seeds), a larger model (--model, --base-url) or another --temperature help."
        )
