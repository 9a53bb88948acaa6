"""A judge rates records and compares responses, and is itself measured: how often it agrees with itself.

Pairs of responses to one prompt are shown in both orders; where the judge prefers what comes first, or second, its two
answers contradict each other and the pair says nothing. The share of such pairs is reported beside the scores.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from typing import Any, NamedTuple

from curation.generate.asking import Ask, Judge, open_judge
from curation.generate.endpoint import Request
from curation.score import questions
from curation.score.file import Score
from curation.score.questions import BETTER, SCALES, TRIES
from curation.score.reasons import CONTRADICTS, NOT_ASKED, UNREADABLE
from schemas.interval import wilson
from schemas.outcome import Aside
from schemas.record import InstructionRecord

CRITERIA = (*SCALES, BETTER)
"""What a judge can be asked about."""
PREFIX = "judge_"
TIED, WON = 0.5, 1.0
DIGITS = 6
TURNED = {questions.FIRST: questions.SECOND, questions.SECOND: questions.FIRST, questions.TIE: questions.TIE}
"""What the same preference is called in the other order."""


class Put(NamedTuple):
    """A question and what it is about."""

    criterion: str
    request: Request


class Duel(NamedTuple):
    """Two responses to one prompt."""

    one: InstructionRecord
    other: InstructionRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Jury:
    """Asks a judge about records."""

    asked: Judge
    criteria: tuple[str, ...]
    max_pairs: int
    repeat: int
    sends: bool = True
    """False: nobody is asked, and every score is null."""

    @property
    def scales(self) -> tuple[str, ...]:
        """The criteria that are numbers."""
        return tuple(one for one in self.criteria if one in SCALES)

    def scores(self, records: Sequence[InstructionRecord], aside: Aside) -> list[Mapping[str, Score]]:
        """Return each record's scores; leaves in `judging` how far the judge is to be relied on.

        Raises:
            EndpointError: it cannot be used, or no longer; the answers so far are kept.
            BudgetError: the budget cannot pay for the next question.
        """
        ratings = [Put(one, self._rating(record, one)) for record in records for one in self.scales]
        second = [Put(one, self._rating(record, one, 1)) for record in self._sample(records) for one in self.scales]
        duels = self.duels(records)
        said = self._said([*ratings, *second, *self._orders(duels)], aside)
        self._leave_ratings(records, said, aside)
        found: list[dict[str, Score]] = [
            {PREFIX + one: _score(said.get(self._rating(record, one).key), self.sends) for one in self.scales}
            for record in records
        ]
        preferred = self._preferred(duels, said, aside)
        return [
            {**mine, **({PREFIX + BETTER: preferred[record.id]} if record.id in preferred else {})}
            for mine, record in zip(found, records, strict=True)
        ]

    def requests(self, records: Sequence[InstructionRecord]) -> list[Request]:
        """Return what would be sent if every answer could be read at once, each question once."""
        ratings = [self._rating(record, one) for record in records for one in self.scales]
        second = [self._rating(record, one, 1) for record in self._sample(records) for one in self.scales]
        duels = [put.request for put in self._orders(self.duels(records))]
        return list({request.key: request for request in (*ratings, *second, *duels)}.values())

    def duels(self, records: Sequence[InstructionRecord]) -> list[Duel]:
        """Return the pairs of responses to one prompt, in an order that depends on their texts alone."""
        if BETTER not in self.criteria:
            return []
        rivals: dict[tuple[str, str], dict[str, InstructionRecord]] = defaultdict(dict)
        for record in records:
            rivals[record.instruction, record.context][record.id] = record
        pairs = (
            Duel(*pair)
            for _, of_prompt in sorted(rivals.items())
            for pair in combinations([of_prompt[one] for one in sorted(of_prompt)], 2)
        )
        return list(islice(pairs, self.max_pairs))

    def _said(self, puts: Sequence[Put], aside: Aside) -> dict[str, float | str | None]:
        """Return what was read of each answer, by the key of its question; None: unreadable to the last."""
        if not (self.sends and puts):
            return {}
        with open_judge(self.asked, aside) as ask:
            return _ask_until_read(ask, puts)

    def _rating(self, record: InstructionRecord, criterion: str, sample: int = 0) -> Request:
        return questions.rating(self.asked.model, record, criterion, sample)

    def _orders(self, duels: Sequence[Duel]) -> list[Put]:
        both = ((one, other) for duel in duels for one, other in (duel, reversed(duel)))
        return [Put(BETTER, questions.choice(self.asked.model, *order)) for order in both]

    def _sample(self, records: Sequence[InstructionRecord]) -> list[InstructionRecord]:
        """Return the records that are rated twice: by the hash of their ids."""
        different = {record.id: record for record in records}
        order = sorted(different, key=lambda one: hashlib.sha256(one.encode()).digest())
        return [different[one] for one in order[: self.repeat]]

    def _leave_ratings(
        self, records: Sequence[InstructionRecord], said: Mapping[str, float | str | None], aside: Aside
    ) -> None:
        sample = self._sample(records)
        for one in self.scales if self.sends else ():
            first = [said[self._rating(record, one).key] for record in records]
            pairs = [tuple(said[self._rating(record, one, at).key] for at in (0, 1)) for record in sample]
            row = {"judge": self.asked.model, "criterion": one, "rated": len(first), "unreadable": first.count(None)}
            aside.leave("judging", {**row, **_agreement([(a, b) for a, b in pairs if _number(a) and _number(b)])})

    def _preferred(
        self, duels: Sequence[Duel], said: Mapping[str, float | str | None], aside: Aside
    ) -> dict[str, Score]:
        """Return the share of its duels that each record won, and leave what came of them."""
        won: dict[str, list[float]] = defaultdict(list)
        why: dict[str, str] = {}
        verdicts = list[str]()
        for duel in duels if self.sends else ():
            first, second = (said[put.request.key] for put in self._orders([duel]))
            verdict = _verdict(first, second)
            verdicts.append(verdict)
            for record, mine in zip(duel, (questions.FIRST, questions.SECOND), strict=True):
                if verdict in TURNED:
                    won[record.id].append(TIED if verdict == questions.TIE else WON * (verdict == mine))
                else:
                    why[record.id] = verdict
            aside.leave("pairs", {"a": duel.one.id, "b": duel.other.id, "answers": [first, second], "verdict": verdict})
        if verdicts:
            aside.leave("judging", {"judge": self.asked.model, "criterion": BETTER, **_flips(verdicts)})
        rivals = {record.id for duel in duels for record in duel}
        return {one: _share(won.get(one), why.get(one, NOT_ASKED)) for one in rivals}


def _ask_until_read(ask: Ask, puts: Sequence[Put]) -> dict[str, float | str | None]:
    """Ask; what cannot be read is asked again, in the words of the question, until it was asked TRIES times."""
    read: dict[str, float | str | None] = {}
    left = {put.request.key: put for put in puts}  # by the key of the first question, whatever it has come to
    for _ in range(TRIES):
        if not left:
            break
        later: dict[str, Put] = {}
        for (key, put), answer in zip(left.items(), ask([put.request for put in left.values()]), strict=True):
            read[key] = _read(put.criterion, answer.text)
            if read[key] is None:
                request = questions.again(put.request, answer, questions.wanted_of(put.criterion))
                later[key] = Put(put.criterion, request)
        left = later
    return read


def _read(criterion: str, text: str) -> float | str | None:
    return questions.read_choice(text) if criterion == BETTER else questions.read_rating(text, criterion)


def _verdict(first: float | str | None, second: float | str | None) -> str:
    """Return what two answers agree on, in the terms of the first order, or why they say nothing."""
    if first is None or second is None:
        return UNREADABLE
    return str(first) if TURNED[str(second)] == first else CONTRADICTS


def _flips(verdicts: Sequence[str]) -> dict[str, Any]:
    read = [one for one in verdicts if one != UNREADABLE]
    flipped = read.count(CONTRADICTS)
    low, high = wilson(flipped, len(read))
    rate = {"flip_rate": round(flipped / len(read), 4)} if read else {"flip_rate": None}
    counts = {"pairs": len(verdicts), "unreadable": len(verdicts) - len(read), "flipped": flipped}
    return {**counts, **rate, "low": round(low, 4), "high": round(high, 4)}


def _agreement(pairs: Sequence[tuple[Any, Any]]) -> dict[str, Any]:
    """Return how often a judge rated the same twice, and by how much it differed from itself."""
    same = sum(a == b for a, b in pairs)
    low, high = wilson(same, len(pairs))
    apart = round(sum(abs(a - b) for a, b in pairs) / len(pairs), 4) if pairs else None
    return {"twice": len(pairs), "same": same, "low": round(low, 4), "high": round(high, 4), "apart": apart}


def _share(won: list[float] | None, why: str) -> Score:
    return Score(value=round(sum(won) / len(won), DIGITS)) if won else Score(reason=why)


def _score(said: float | str | None, sends: bool) -> Score:
    if not sends:
        return Score(reason=NOT_ASKED)
    return Score(value=float(said)) if _number(said) else Score(reason=UNREADABLE)  # type: ignore[arg-type]  # a number


def _number(said: float | str | None) -> bool:
    return isinstance(said, float)
