"""What a selection is to be compared with: as many records, or as many tokens, by chance or by length alone.

A selection that does not beat these two has found nothing: chance costs nothing, and the longest answers alone have
beaten published selections ("Long is more for alignment", Zhao et al. 2024).
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from curation.select.budget import ESTIMATE, count_texts, count_tokens
from curation.select.reasons import BUDGET
from curation.select.stage import RANKING, tie
from curation.spool import Records, Spool
from schemas.errors import InputError
from schemas.outcome import SILENT, Aside, Outcome, reject
from schemas.record import InstructionRecord, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """Keeps records by chance or by length until there are as many as were selected."""

    order: Literal["random", "longest"]
    """By the hash of seed and id, or by the tokens of the response."""
    records: int = 0
    """Records to keep; 0: as many as the tokens allow."""
    budget: int = 0
    """Tokens to keep at most; 0: as many as the records have."""
    tokens: str = ESTIMATE
    """How tokens are counted: `estimate`, or a model whose tokenizer counts."""
    seed: int = 1
    """Names the shuffle."""

    def __post_init__(self) -> None:
        """Refuse a control without a size."""
        if not self.records and not self.budget:
            raise InputError(place="control", expected="records or a budget of tokens", found="neither")

    @property
    def name(self) -> str:
        """The word for this stage in manifests."""
        return "control"

    def __call__(self, records: Iterable[InstructionRecord], aside: Aside = SILENT, /) -> Iterator[Outcome]:
        """Yield one outcome per record, in order."""
        pool = Spool.of(records)
        tokens = count_tokens(pool, self.tokens)
        keys = ORDERS[self.order](pool, self)
        full = [(key, one.id, tie(one)) for key, one in zip(keys, pool, strict=True)]
        order = sorted(range(len(pool)), key=full.__getitem__)
        del keys, full
        chosen = self._chosen(order, tokens)
        rank_of = {row: rank for rank, row in enumerate(order, 1)}
        for row, record in enumerate(pool):
            left = {"id": record.id, "rank": rank_of[row], "tokens": tokens[row], "selected": row in chosen}
            aside.leave(RANKING, left)
            yield record if row in chosen else reject(record, self._reason(rank_of[row], len(pool)))

    def _chosen(self, order: Sequence[int], tokens: Sequence[int]) -> set[int]:
        """Return the first rows that fit; one that does not is passed over for a smaller one."""
        if self.records:
            return set(order[: self.records])
        chosen, used = set(), 0
        for row in order:
            if used + tokens[row] <= self.budget:
                chosen.add(row)
                used += tokens[row]
        return chosen

    def _reason(self, rank: int, of: int) -> Reason:
        limit = f"keep {self.records:,}" if self.records else f"keep {self.budget:,} tokens"
        found = f"rank {rank:,} of {of:,}, {self.order}"
        return Reason(code=BUDGET, found=found, limit=limit)


def _random(pool: Records, control: Control) -> list[str]:
    return [hashlib.sha256(f"{control.seed}/{record.id}".encode()).hexdigest() for record in pool]


def _longest(pool: Records, control: Control) -> list[str]:
    counts = count_texts((record.response for record in pool), control.tokens)
    return [f"{10**12 - count:013}" for count in counts]


ORDERS: Mapping[str, Callable[[Records, Control], list[str]]] = {
    "random": _random,
    "longest": _longest,
}
"""Order → the key that sorts first what it keeps first."""
