"""Of records that say the same, the best one is kept; every other names it."""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from curation.dedupe.semantic import Cosines, Pairs, Places


class Match(NamedTuple):
    """The kept record that makes another one needless."""

    row: int
    """Its place in the input."""
    cosine: float | None
    """How alike the two prompts are; None for exact duplicates."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """For each prompt those that are like it, most alike first, equals in the order of the prompts."""

    starts: NDArray[np.int64]
    others: Places
    scores: Cosines

    @classmethod
    def of(cls, pairs: Pairs, scores: Cosines, prompts: int) -> Self:
        """Index pairs from both sides; `prompts` is how many there are."""
        mine, others = np.concatenate(pairs), np.concatenate(pairs[::-1])
        both = np.concatenate([scores, scores])
        order = np.lexsort((others, -both, mine))
        starts = np.searchsorted(mine[order], np.arange(prompts + 1))
        return cls(starts, others[order], both[order])

    def to(self, prompt: int) -> Iterator[tuple[int, float]]:
        """Yield the prompts that are like this one, each with its cosine."""
        for at in range(self.starts[prompt], self.starts[prompt + 1]):
            yield int(self.others[at]), float(self.scores[at])


@dataclass(slots=True, kw_only=True)
class Keeper:
    """Is offered the records from the best to the worst, and keeps each that is no duplicate of one already kept.

    So every rejected record names a kept one that it is itself a duplicate of, and no two kept ones are duplicates:
    nothing goes because of something that goes.
    """

    likeness: Likeness
    differ: Callable[[int, int], bool]
    """Says that two prompts ask for different things, however alike they are."""
    _exact: dict[Hashable, int] = field(default_factory=dict)
    _asking: dict[int, int] = field(default_factory=dict)

    def offer(self, row: int, key: Hashable, prompt: int | None) -> Match | None:
        """Return the kept record that this one duplicates; keep this one if there is none.

        Records with equal keys are exact duplicates. An empty prompt (None) is like no other.
        """
        match = self._same(key) or self._near(prompt)
        if match is None:
            self._exact[key] = row
            if prompt is not None:
                self._asking[prompt] = row
        return match

    def _same(self, key: Hashable) -> Match | None:
        return Match(self._exact[key], None) if key in self._exact else None

    def _near(self, prompt: int | None) -> Match | None:
        if prompt is None:
            return None
        if prompt in self._asking:
            return Match(self._asking[prompt], 1.0)
        for other, cosine in self.likeness.to(prompt):
            if other in self._asking and not self.differ(prompt, other):
                return Match(self._asking[other], cosine)
        return None
