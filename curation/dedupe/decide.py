"""Of records that say the same, the best ones are kept; every other names one of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from curation.dedupe.pool import Pool
from curation.dedupe.semantic import Cosines, Pairs, Places

Same = Callable[[int, int, float], bool]
"""Says whether two records whose prompts are this much alike do ask for the same."""


class Match(NamedTuple):
    """The kept record that makes another one needless."""

    row: int
    """Its place in the pool."""
    cosine: float | None
    """How alike the two prompts are; None for exact duplicates."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """For each prompt those that are like it, most alike first, equals in the order of the prompts."""

    starts: NDArray[np.int64]
    others: Places
    scores: Cosines

    @classmethod
    def of(cls, pairs: Pairs, prompts: int) -> Self:
        """Index pairs from both sides; `prompts` is how many there are."""
        mine, others = (np.concatenate(sides) for sides in (pairs[:2], pairs[1::-1]))
        both = np.concatenate([pairs.scores, pairs.scores])
        order = np.lexsort((others, -both, mine))
        starts = np.searchsorted(mine[order], np.arange(prompts + 1))
        return cls(starts, others[order], both[order])

    def to(self, prompt: int) -> Iterator[tuple[int, float]]:
        """Yield the prompts that are like this one, each with its cosine."""
        for at in range(self.starts[prompt], self.starts[prompt + 1]):
            yield int(self.others[at]), float(self.scores[at])


def decide(pool: Pool, likeness: Likeness, same: Same, most: int = 1) -> dict[int, Match]:
    """Return the records that are rejected, each with the kept record that it duplicates.

    Records are offered from the best to the worst, and each is kept unless `most` records are that it duplicates, or
    one that it is an exact copy of. So nothing goes because of something that goes, and for `most` = 1 no two kept
    records are duplicates. Those that the pool holds already are kept before all others.
    """
    keeper = _Keeper(pool=pool, likeness=likeness, same=same, most=most)
    for row in range(pool.held):
        keeper.keep(row)
    matches = {}
    for row in pool.order:
        if (match := keeper.find(row)) is None:
            keeper.keep(row)
        else:
            matches[row] = match
    return matches


@dataclass(slots=True, kw_only=True)
class _Keeper:
    pool: Pool
    likeness: Likeness
    same: Same
    most: int
    _exact: dict[bytes, int] = field(default_factory=dict)
    _asking: dict[int, list[int]] = field(default_factory=dict)
    """Prompt → the kept records that have it; an empty prompt is like no other."""

    def keep(self, row: int) -> None:
        """Take note of a kept record."""
        self._exact.setdefault(self.pool.keys[row], row)
        prompt = self.pool.of[row]
        if self.pool.prompts[prompt].text:
            self._asking.setdefault(prompt, []).append(row)

    def find(self, row: int) -> Match | None:
        """Return the kept record that makes this one needless."""
        if (copy := self._exact.get(self.pool.keys[row])) is not None:
            return Match(copy, None)
        found = []
        for match in self._alike(row):
            if self.same(row, match.row, match.cosine or 0):
                found.append(match)
                if len(found) == self.most:
                    return found[0]
        return None

    def _alike(self, row: int) -> Iterator[Match]:
        """Yield the kept records whose prompts are like this one's, most alike first."""
        prompt = self.pool.of[row]
        for other in self._asking.get(prompt, ()):
            yield Match(other, 1.0)
        for alike, cosine in self.likeness.to(prompt):
            for other in self._asking.get(alike, ()):
                yield Match(other, cosine)
