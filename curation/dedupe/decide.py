"""Of records that say the same, the best ones are kept; every other names one of them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
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


def linked(pool: Pool, likeness: Likeness) -> list[list[int]]:
    """Return the groups of rows that have a bearing on each other: exact copies, prompts that are the same or alike.

    Links are followed over however many rows. In a group those stand first that the pool holds already, then those to
    judge, from the best to the worst; the groups come as the best ones to judge in them do. Rows alone are left out.
    """
    from scipy.sparse import coo_array  # noqa: PLC0415  # takes half a second to import
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415  # the same

    prompts, many = np.asarray(pool.of), len(pool.prompts)
    ones = np.concatenate([np.repeat(np.arange(many), np.diff(likeness.starts)), prompts])
    others = np.concatenate([likeness.others, prompts[_first_copies(pool.keys)]])
    links = coo_array((np.ones(len(ones), bool), (ones, others)), shape=(many, many))
    group = connected_components(links, directed=False)[1][prompts]
    best = np.full(many, pool.size)
    np.minimum.at(best, group[pool.order], np.arange(len(pool.order)))
    rows = np.concatenate([np.arange(pool.held), pool.order])
    rows = rows[np.argsort(best[group[rows]], kind="stable")]
    edges = np.flatnonzero(np.diff(group[rows], prepend=-1, append=-1))
    return [rows[a:b].tolist() for a, b in pairwise(edges) if b - a > 1 and rows[b - 1] >= pool.held]


def decide(rows: Iterable[int], pool: Pool, likeness: Likeness, same: Same, most: int = 1) -> dict[int, Match]:
    """Return which rows of a group are rejected, each with the kept record that it duplicates.

    Records are offered from the best to the worst, and each is kept unless `most` records are that it duplicates, or
    one that it is an exact copy of. So nothing goes because of something that goes, and for `most` = 1 no two kept
    records are duplicates. Those that the pool holds already are kept before all others.
    """
    keeper = _Keeper(pool=pool, likeness=likeness, same=same, most=most)
    matches = {}
    for row in rows:
        match = None if row < pool.held else keeper.find(row)
        if match is None:
            keeper.keep(row)
        else:
            matches[row] = match
    return matches


def _first_copies(keys: Sequence[bytes]) -> list[int]:
    """Return for each row the first one that it is an exact copy of, itself where there is none."""
    first: dict[bytes, int] = {}
    return [first.setdefault(key, row) for row, key in enumerate(keys)]


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
