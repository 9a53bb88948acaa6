"""All pairs of like vectors, and each vector's nearest neighbour: exactly, not approximately, and in little memory.

Nothing of size rows by rows is ever held, only tiles. Where nobody asks for the neighbours, the multiplication is a
short one: the vectors are turned onto their principal directions, and the dot product over the leading ones plus the
product of what is left of both lengths is never less than the whole dot product (Cauchy and Schwarz). It says which
few pairs need the long one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from curation.embedding.encoder import Told, Vectors, tell_nobody

Places: TypeAlias = NDArray[np.int32]
Cosines: TypeAlias = NDArray[np.float64]

TILE = 2048
"""Rows and columns of a tile: 16 MB of products."""

DIRECTIONS = 96
"""Principal directions in the bound; of MiniLM's 384 they leave few pairs to multiply in full."""

SLACK = 1e-5
"""What sums in fp32 may be off; bounds are widened by it, so that rounding hides no pair."""

AT_ONCE = 1 << 16
"""Pairs multiplied in full at a time."""


class Pairs(NamedTuple):
    """Pairs of different rows, each once."""

    first: Places
    second: Places

    def only(self, which: NDArray[np.bool_]) -> "Pairs":
        """Return some of the pairs."""
        return Pairs(self.first[which], self.second[which])

    @classmethod
    def joined(cls, parts: list[Self]) -> "Pairs":
        """Return the pairs of all parts."""
        none = np.empty(0, np.int32)
        return (
            Pairs(*(np.concatenate([none, *side]) for side in zip(*parts, strict=True))) if parts else cls(none, none)
        )


@dataclass(frozen=True, slots=True)
class Nearest:
    """For each row the other row that is most like it; of equals the first."""

    row: Places
    cosine: Vectors
    """-2 where there is no other row."""

    def see(self, products: Vectors, top: int, left: int) -> None:
        """Take note of the products of the rows from `top` on with those from `left` on."""
        best = products.max(1)
        mine = self.cosine[top : top + len(best)]
        better = np.flatnonzero(best > mine)
        mine[better] = best[better]
        self.row[top + better] = left + products[better].argmax(1)


def close_pairs(vectors: Vectors, limit: float, *, tile: int = TILE, told: Told = tell_nobody) -> Pairs:
    """Return every pair of rows whose cosine is at least `limit`, by way of the bound."""
    short = _bounds(vectors, DIRECTIONS)
    likely = [_above(products, limit - SLACK, *corner) for corner, products in _tiles(short, tile, told)]
    pairs = Pairs.joined(likely)
    return pairs.only(cosines(vectors, pairs) >= limit)


def close_pairs_and_nearest(
    vectors: Vectors, limit: float, *, tile: int = TILE, told: Told = tell_nobody
) -> tuple[Pairs, Nearest]:
    """Return every pair of rows whose cosine is at least `limit`, and each row's nearest neighbour, in one pass."""
    nearest = Nearest(np.zeros(len(vectors), np.int32), np.full(len(vectors), -2, np.float32))
    likely = []
    for (top, left), products in _tiles(vectors, tile, told):
        likely.append(_above(products, limit - SLACK, top, left))
        nearest.see(products, top, left)
        if top != left:
            nearest.see(products.T, left, top)
    pairs = Pairs.joined(likely)
    return pairs.only(cosines(vectors, pairs) >= limit), nearest


def cosines(vectors: Vectors, pairs: Pairs) -> Cosines:
    """Return the cosine of each pair, summed in double precision: the same on every machine for the same vectors."""
    found = np.empty(len(pairs.first))
    for start in range(0, len(found), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        left = vectors[pairs.first[some]].astype(np.float64)
        found[some] = np.einsum("pd,pd->p", left, vectors[pairs.second[some]])
    return found


def _bounds(vectors: Vectors, directions: int) -> Vectors:
    """Return short rows whose dot products are never less than those of the vectors."""
    if directions >= vectors.shape[1]:
        return vectors
    _, axes = np.linalg.eigh(vectors.T @ vectors)
    short = vectors @ np.ascontiguousarray(axes[:, -directions:])
    rest = np.square(vectors).sum(1) - np.square(short).sum(1)
    return np.column_stack([short, np.sqrt(np.maximum(rest, 0) + np.float32(SLACK))])


def _tiles(rows: Vectors, tile: int, told: Told) -> Iterator[tuple[tuple[int, int], Vectors]]:
    """Yield the products of all rows with all rows, a corner and a tile at a time, those below the diagonal left out.

    A row's product with itself is -2, as if it were unlike anything.
    """
    corners = [(top, left) for top in range(0, len(rows), tile) for left in range(top, len(rows), tile)]
    for done, (top, left) in enumerate(corners):
        told(done, len(corners))
        products = rows[top : top + tile] @ rows[left : left + tile].T
        if top == left:
            np.fill_diagonal(products, -2)
        yield (top, left), products
    told(len(corners), len(corners))


def _above(products: Vectors, limit: float, top: int, left: int) -> Pairs:
    """Return where a tile is at or above the limit; few rows hold such places, so the others are passed over."""
    hot = np.flatnonzero(products.max(1) >= limit)
    rows, columns = np.nonzero(products[hot] >= limit)
    pairs = Pairs((hot[rows] + top).astype(np.int32), (columns + left).astype(np.int32))
    return pairs.only(pairs.first < pairs.second)
