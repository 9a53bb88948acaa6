"""All pairs of like vectors: exactly, not approximately, in little memory, and the same ones on every processor.

Nothing of size rows by rows is ever held, only tiles, and of a tile the multiplication is a short one. The vectors are
turned onto their principal directions; the dot product over the leading ones, plus the product of what is left of both
lengths, is never less than the whole dot product (Cauchy and Schwarz). So it says which few pairs need the long one,
and that is summed in double precision: bounds propose, and rounding in them can only propose more (see `slack`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from curation.dedupe.tiles import Tiles, tiles_of
from curation.embedding.encoder import Told, Vectors, tell_nobody
from curation.engine import HERE, Engine, Kind, chunked

Places: TypeAlias = NDArray[np.int32]
Cosines: TypeAlias = NDArray[np.float64]
Corner: TypeAlias = tuple[int, int]

TILE = 1024
"""Rows and columns of a tile: 4 MB of products, which stay in the processor's cache."""

CORNERS: Mapping[Kind, int] = {"local": 8, "ray": 64}
"""Pairs of tiles that are handed out at a time: milliseconds of multiplying for a thread, tens of them for a worker."""

DIRECTIONS = 64
"""Principal directions in the bound; of MiniLM's 384 they leave one pair in 10,000 to multiply in full."""

AT_ONCE = 1 << 13
"""Rows turned, or pairs multiplied in full, at a time: what bounds the memory."""


class Pairs(NamedTuple):
    """Pairs of different rows, each once, and how alike they are."""

    first: Places
    second: Places
    scores: Cosines

    def only(self, which: NDArray[Any]) -> "Pairs":
        """Return some of the pairs, by a mask or by their places."""
        return Pairs(self.first[which], self.second[which], self.scores[which])

    @classmethod
    def joined(cls, parts: list[Self]) -> "Pairs":
        """Return the pairs of all parts."""
        none = np.empty(0, np.int32)
        if not parts:
            return cls(none, none, np.empty(0))
        return Pairs(*(np.concatenate(side) for side in zip(*parts, strict=True)))


@dataclass(frozen=True, slots=True)
class Search:
    """What finds the pairs in a pair of tiles; a pure function of it, for threads or for workers elsewhere."""

    vectors: Vectors
    bounds: Vectors
    """Short rows in the order of the tiles."""
    tiles: Tiles
    limit: float

    @classmethod
    def of(cls, vectors: Vectors, limit: float, tile: int = TILE) -> Self:
        """Prepare to look for pairs of unit rows (or zeros) whose cosine is at least `limit`."""
        tiles = tiles_of(vectors, tile)
        return cls(vectors, bounds_of(vectors, DIRECTIONS)[tiles.order], tiles, limit)

    def __call__(self, corners: Sequence[Corner]) -> Pairs:
        """Return the pairs of rows in some pairs of tiles, the smaller row first."""
        return Pairs.joined([self._within(*corner) for corner in corners])

    def _within(self, tile: int, other: int) -> Pairs:
        rows, columns = self._above(tile, other)
        one, two = self.tiles.order[rows], self.tiles.order[columns]
        first, second = np.minimum(one, two), np.maximum(one, two)
        found = Pairs(first, second, cosines(self.vectors, first, second))
        return found.only(found.scores >= self.limit)

    def _above(self, tile: int, other: int) -> tuple[Places, Places]:
        """Return the places above the diagonal where two tiles' products reach the limit.

        Few rows of a tile hold any, so the others are passed over.
        """
        top, left = self.tiles.starts[[tile, other]]
        products = self.bounds[top : self.tiles.starts[tile + 1]] @ self.bounds[left : self.tiles.starts[other + 1]].T
        likely = self.limit - slack(self.bounds.shape[1])
        hot = np.flatnonzero(products.max(1) >= likely)
        rows, columns = np.nonzero(products[hot] >= likely)
        first, second = (hot[rows] + top).astype(np.int32), (columns + left).astype(np.int32)
        return first[first < second], second[first < second]


def close_pairs(
    vectors: Vectors, limit: float, *, tile: int = TILE, told: Told = tell_nobody, engine: Engine = HERE
) -> Pairs:
    """Return every pair of rows whose cosine is at least `limit`, in order; `vectors` are unit rows, or zeros.

    The decision depends on the vectors alone, not on tiles, threads, the engine or the library that multiplies. `told`
    hears of pairs of tiles; those that need not be looked at are done from the beginning.
    """
    search = Search.of(vectors, limit, tile)
    corners, size = search.tiles.near(limit), CORNERS[engine.kind]
    parts = engine.map(search, chunked(corners, size), shares=True)
    skipped = search.tiles.pairs - len(corners)
    found = Pairs.joined(list(_counted(parts, size, skipped, len(corners), told)))
    return found.only(np.lexsort((found.second, found.first)))


def cosines(vectors: Vectors, first: Places, second: Places) -> Cosines:
    """Return the cosine of each pair, summed in double precision."""
    found = np.empty(len(first))
    for start in range(0, len(found), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        found[some] = np.einsum("pd,pd->p", vectors[first[some]].astype(np.float64), vectors[second[some]])
    return found


def bounds_of(vectors: Vectors, directions: int) -> Vectors:
    """Return short rows whose dot products are never less than those of the vectors, but for `slack`.

    The axes are orthonormal in double precision however the products they come from were rounded, and which axes they
    are decides only how tight the bound is.
    """
    if directions >= vectors.shape[1]:
        return vectors
    axes = np.linalg.eigh((vectors.T @ vectors).astype(np.float64))[1][:, -directions:]
    bounds = np.empty((len(vectors), directions + 1), np.float32)
    for start in range(0, len(vectors), AT_ONCE):
        rows = vectors[start : start + AT_ONCE].astype(np.float64)
        short = rows @ axes
        rest = np.square(rows).sum(1) - np.square(short).sum(1)
        bounds[start : start + AT_ONCE, :-1] = short
        bounds[start : start + AT_ONCE, -1] = np.sqrt(np.maximum(rest, 0))
    return bounds


def slack(width: int) -> float:
    """Return how far rounding can take the fp32 dot product of two rows of `bounds_of` below the true bound.

    Rounding each row to fp32 costs at most 2u, and a sum of `width` products in any order at most `width` times u, with
    u = 2**-24 and rows no longer than 1 (Higham, Accuracy and Stability of Numerical Algorithms, 3.1). Twice that, for
    the terms of second order and for lengths a little above 1.
    """
    return (width + 2) * 2.0**-23


def _counted(parts: Iterator[Pairs], size: int, skipped: int, left: int, told: Told) -> Iterator[Pairs]:
    """Pass the parts on, those that hold pairs, and say how many pairs of tiles are done."""
    told(skipped, skipped + left)
    for number, part in enumerate(parts, 1):
        if len(part.first):
            yield part
        told(skipped + min(number * size, left), skipped + left)
