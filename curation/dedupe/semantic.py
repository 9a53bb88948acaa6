"""All pairs of like vectors: exactly, not approximately, in little memory, and the same ones on every processor.

Nothing of size rows by rows is ever held, only tiles, and of a tile the multiplication is a short one. The vectors are
turned onto their principal directions; the dot product over the leading ones, plus the product of what is left of both
lengths, is never less than the whole dot product (Cauchy and Schwarz). So it says which few pairs need the long one,
and that is summed in double precision: bounds propose, and rounding in them can only propose more (see `slack`).
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from curation.embedding.encoder import Told, Vectors, tell_nobody

Places: TypeAlias = NDArray[np.int32]
Cosines: TypeAlias = NDArray[np.float64]
Corner: TypeAlias = tuple[int, int]

TILE = 1024
"""Rows and columns of a tile: 4 MB of products, which stay in the processor's cache."""

DIRECTIONS = 64
"""Principal directions in the bound; of MiniLM's 384 they leave one pair in 10,000 to multiply in full."""

AT_ONCE = 1 << 13
"""Rows turned, or pairs multiplied in full, at a time: what bounds the memory."""


class Pairs(NamedTuple):
    """Pairs of different rows, each once, and how alike they are."""

    first: Places
    second: Places
    scores: Cosines

    def only(self, which: NDArray[np.bool_]) -> "Pairs":
        """Return some of the pairs."""
        return Pairs(self.first[which], self.second[which], self.scores[which])

    @classmethod
    def joined(cls, parts: list[Self]) -> "Pairs":
        """Return the pairs of all parts."""
        none = np.empty(0, np.int32)
        if not parts:
            return cls(none, none, np.empty(0))
        return Pairs(*(np.concatenate(side) for side in zip(*parts, strict=True)))


def close_pairs(vectors: Vectors, limit: float, *, tile: int = TILE, told: Told = tell_nobody) -> Pairs:
    """Return every pair of rows whose cosine is at least `limit`; `vectors` are unit rows, or zeros.

    The decision depends on the vectors alone, not on tiles, threads or the library that multiplies.
    """
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 - looks at every loaded library

    bounds = bounds_of(vectors, DIRECTIONS)
    likely = limit - slack(bounds.shape[1])
    corners = [(top, left) for top in range(0, len(bounds), tile) for left in range(top, len(bounds), tile)]

    def search(corner: Corner) -> Pairs:
        first, second = _above(bounds, corner, tile, likely)
        found = Pairs(first, second, cosines(vectors, first, second))
        return found.only(found.scores >= limit)

    with threadpool_limits(1, "blas"), ThreadPoolExecutor(workers()) as pool:
        return Pairs.joined(list(_counted(pool.map(search, corners), len(corners), told)))


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


def workers() -> int:
    """Return how many tiles are multiplied at a time: the processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _above(bounds: Vectors, corner: Corner, tile: int, limit: float) -> tuple[Places, Places]:
    """Return the places above the diagonal where a tile's products reach the limit.

    Few rows of a tile hold any, so the others are passed over.
    """
    top, left = corner
    products = bounds[top : top + tile] @ bounds[left : left + tile].T
    hot = np.flatnonzero(products.max(1) >= limit)
    rows, columns = np.nonzero(products[hot] >= limit)
    first, second = (hot[rows] + top).astype(np.int32), (columns + left).astype(np.int32)
    return first[first < second], second[first < second]


def _counted(parts: Iterator[Pairs], total: int, told: Told) -> Iterator[Pairs]:
    """Pass the parts on, those that hold pairs, and say how many are done."""
    told(0, total)
    for done, part in enumerate(parts, 1):
        if len(part.first):
            yield part
        told(done, total)
