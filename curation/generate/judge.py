"""Judges candidates in their order: gates, and whether an instruction is new among all that came before."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import NamedTuple

from curation.generate.gates import Gates
from curation.generate.novelty import SCOPES, Neighbour, Pool, Scope
from curation.generate.strategies.shape import Draft, Drafted, Seeds, Strategy
from schemas.outcome import Outcome, Rejection, reject
from schemas.record import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What an answer holds, on its way to an outcome."""

    strategy: Strategy
    drafted: Drafted
    near: Neighbour | None = None
    """The most similar record there was when it came in its turn."""
    key: int | None = None
    """Its own key in the pool; None: it is not new, or that was not asked yet."""

    @property
    def is_open(self) -> bool:
        """Whether it is to be finished."""
        return isinstance(self.drafted, Draft) and not (self.near and self.key is None)


class Judged(NamedTuple):
    """What became of a candidate."""

    outcome: Outcome
    near: Neighbour | None
    """The most similar record there was."""


class Judge:
    """The gates of one run, and its pool of everything there was."""

    def __init__(self, seeds: Seeds, *, novelty: float, scope: Scope, gates: Gates) -> None:
        """Begin with the seeds."""
        self._novelty, self._scope, self._gates = novelty, scope, gates
        self._pool, self._names, self._text = Pool(), dict[int, str](), SCOPES[scope]
        self._came: Counter[str] = Counter()
        for of_category in seeds.values():
            for seed in of_category:
                self._names[self._pool.add(self._pool.encode(self._text(seed)))] = seed.id

    def name_of(self, near: Neighbour | None) -> str:
        """Return the id of a neighbour, or an empty text where there is none."""
        return self._names[near.key] if near else ""

    def forget(self, key: int) -> None:
        """Take an instruction out of the pool: it came to nothing, and bars no other."""
        self._pool.remove(key)

    def candidate(self, strategy: Strategy, drafted: Drafted) -> Candidate:
        """Judge an instruction; where instructions are what is compared, enter it in the pool if it is new."""
        candidate = Candidate(strategy=strategy, drafted=drafted)
        if isinstance(drafted, Rejection):
            return candidate
        judged = drafted.record if drafted.given else self._gates.instruction(drafted.record)
        if isinstance(judged, Rejection):
            return replace(candidate, drafted=judged)
        drafted = replace(drafted, sample=self._came[drafted.record.id])
        self._came[drafted.record.id] += 1
        candidate = replace(candidate, drafted=drafted)
        return self._placed(candidate, drafted) if self._scope == "instruction" else candidate

    def _placed(self, candidate: Candidate, draft: Draft) -> Candidate:
        """Find the nearest record, and enter the draft in the pool if it is new, or somebody's own."""
        codes = self._pool.encode(self._text(draft.record))
        near = self._pool.nearest(codes)
        if near and near.score > self._novelty and not draft.given:
            return replace(candidate, near=near)
        return replace(candidate, near=near, key=self._pool.add(codes))

    def settled(self, candidate: Candidate) -> Judged:
        """Return what becomes of a candidate that was finished, and remember it."""
        drafted = candidate.drafted
        judged = Judged(drafted, None) if isinstance(drafted, Rejection) else self._judged(candidate, drafted)
        if candidate.key is not None:
            self._names[candidate.key] = judged.outcome.id
        return judged

    def _judged(self, candidate: Candidate, draft: Draft) -> Judged:
        if not candidate.is_open and candidate.near:
            return Judged(self._not_novel(draft, candidate.near), candidate.near)
        outcome = self._gates.record(draft.record, grounded=draft.grounded)
        if isinstance(outcome, Rejection) or candidate.key is not None:
            return Judged(outcome, candidate.near)
        draft = replace(draft, record=outcome)
        candidate = self._placed(candidate, draft)  # its context is compared too, and stands only now
        if candidate.key is None and candidate.near:
            return Judged(self._not_novel(draft, candidate.near), candidate.near)
        self._names[candidate.key or 0] = outcome.id
        return Judged(outcome, candidate.near)

    def _not_novel(self, draft: Draft, near: Neighbour) -> Rejection:
        reason = Reason(
            code="instruction_not_novel",
            field="instruction",
            found=f"ROUGE-L {near.score:.2f}",
            limit=f"{self._novelty:g}",
            other=self._names[near.key],
            scores={"rouge_l": round(near.score, 4)},
        )
        return reject(draft.record, reason)
