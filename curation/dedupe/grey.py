"""The grey band: pairs that the rules cannot be sure of, which a judge decides.

A pair is grey where no contrast that matters keeps it apart (no number, name, negation, see `verify`), and either its
cosine is close to the threshold, or what the two speak of is not known to be the same. A judge never has a say in any
other pair, so it can neither excuse a different number nor part copies.

It is asked in both orders. Only where it says SAME twice is a pair a duplicate; where it contradicts itself, or cannot
be read, both records stay. What is not asked, because enough was, is decided by the rules.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from curation.dedupe.evidence import DIGITS, OPEN, Evidence
from curation.dedupe.pool import Pool
from curation.dedupe.question import DIFFERENT, SAME, question, read_verdict, shortened
from curation.generate.asking import Ask
from schemas.record import InstructionRecord

Pair = tuple[int, int]
"""Two places in the pool, the smaller first."""

VERDICTS = ("same", "different", "disagree", "unreadable")
"""What two answers can come to: agreed, agreed, one each way, at least one that cannot be read."""


class Judged(NamedTuple):
    """What a judge made of a pair."""

    cosine: float
    answers: tuple[str, str]
    """To the pair with the smaller id first, and to the other order."""

    @property
    def verdict(self) -> str:
        """One of VERDICTS."""
        read = {read_verdict(answer) for answer in self.answers}
        if "" in read:
            return "unreadable"
        return {SAME: "same", DIFFERENT: "different"}[read.pop()] if len(read) == 1 else "disagree"


@dataclass(slots=True, kw_only=True)
class Grey:
    """Evidence in which a judge has the say about grey pairs."""

    pool: Pool
    rules: Evidence
    ask: Ask | None
    """None: nobody can be asked, and the rules decide."""
    model: str
    threshold: float
    band: float
    most: int
    """Pairs that may be asked about."""
    judged: dict[Pair, Judged] = field(default_factory=dict)
    unasked: dict[Pair, None] = field(default_factory=dict)
    _wanted: dict[Pair, float] = field(default_factory=dict)
    _unknown: int = 0

    @property
    def unknown(self) -> int:
        """How often something was asked that was not known, by the rules or by the judge."""
        return self._unknown + self.rules.unknown

    def same(self, row: int, other: int, cosine: float) -> bool:
        """Say whether two records ask for the same, as far as is known."""
        pair = (min(row, other), max(row, other))
        if pair in self.unasked or not self._is_grey(row, other, cosine):
            return cosine >= self.threshold and self.rules.same(row, other, cosine)
        if pair not in self.judged:
            self._wanted[pair] = cosine
            self._unknown += 1
            return True
        return self.judged[pair].verdict == "same"

    def gather(self) -> bool:
        """Find out what was not known; say whether there was any. Texts first: what they decide need not be asked."""
        wanted, self._wanted = self._wanted, {}
        if self.rules.gather():
            return True
        left = max(0, self.most - len(self.judged)) if self.ask else 0
        pairs = list(wanted)
        self.unasked.update(dict.fromkeys(pairs[left:]))
        self._find_out({pair: wanted[pair] for pair in pairs[:left]})
        return bool(pairs)

    def scores(self, row: int, other: int) -> dict[str, float]:
        """Return the numbers that decided about a pair, by their names; a judge's is the orders in which it agreed."""
        judged = self.of(row, other)
        return self.rules.scores(row, other) | ({"judge": 2.0} if judged else {})

    def of(self, row: int, other: int) -> Judged | None:
        """Return what the judge made of a pair, where it was asked."""
        return self.judged.get((min(row, other), max(row, other)))

    def rows(self) -> Iterator[Mapping[str, Any]]:
        """Yield a row for each pair that was asked about."""
        for pair, judged in self.judged.items():
            a, b = self._ordered(pair)
            yield {
                "a": a.id,
                "b": b.id,
                "cosine": judged.cosine,
                "judge": self.model,
                "answers": [shortened(answer) for answer in judged.answers],
                "verdict": judged.verdict,
            }

    def summary(self) -> Mapping[str, Any]:
        """Return how often the judge said what, and how many pairs it was not asked about."""
        found = [judged.verdict for judged in self.judged.values()]
        counts = {verdict: found.count(verdict) for verdict in VERDICTS}
        return {"judge": self.model, "asked": len(found), **counts, "unasked": len(self.unasked)}

    def _is_grey(self, row: int, other: int, cosine: float) -> bool:
        if self.pool.of[row] == self.pool.of[other]:
            return False
        kind = self.rules.kind(row, other)
        close = round(abs(cosine - self.threshold), DIGITS) <= self.band
        return (close if kind is None else kind in OPEN) and self.rules.fits(row, other)

    def _find_out(self, pairs: Mapping[Pair, float]) -> None:
        """Ask about pairs, all at once and each in both orders."""
        if not pairs or self.ask is None:
            return
        both = [self._ordered(pair) for pair in pairs]
        questions = [question(self.model, *order) for a, b in both for order in ((a, b), (b, a))]
        different = {one.key: one for one in questions}
        answers = dict(zip(different, self.ask(list(different.values())), strict=True))
        texts = [answers[one.key].text for one in questions]
        for at, (pair, cosine) in enumerate(pairs.items()):
            self.judged[pair] = Judged(cosine, (texts[2 * at], texts[2 * at + 1]))

    def _ordered(self, pair: Pair) -> tuple[InstructionRecord, InstructionRecord]:
        """Return a pair's records in an order that depends on them alone."""
        a, b = sorted((self.pool[row] for row in pair), key=lambda record: record.id)
        return a, b
