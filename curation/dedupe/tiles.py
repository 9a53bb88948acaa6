"""Rows that lie together stand together, so that whole tiles can be seen to be too far apart to hold a pair.

Rows are put to the nearest of some centroids, and each tile is a piece of one such group. Angles obey the triangle
inequality: no row of a tile is nearer to a row of another one than the angle between the two centres less both radii.
Where that is more than the angle of the threshold, the two are not multiplied. The decision is exact; how many tiles it
spares depends on the data alone, and is reported: few or none where texts lie evenly, as MiniLM's do, many where a set
consists of much-repeated texts (docs/scale.md has figures).
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from curation.embedding.encoder import Vectors

AT_ONCE = 1 << 13
"""Rows held against the centroids at a time: what bounds the memory."""

DOUBT = 1e-6
"""Radians that rounding in centres, radii and arcs may come to, many times over."""

Rows = NDArray[np.int32]
Angles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tiles:
    """Rows in an order in which those of a tile stand together."""

    order: Rows
    """The place of each row among the vectors."""
    starts: NDArray[np.int64]
    """Where each tile begins in `order`, and where the last one ends."""
    centres: Vectors
    """A unit row a tile; zeros where its rows cancel each other."""
    radii: Angles
    """The largest angle between a tile's centre and its rows, in radians."""
    longest: float
    """Length of the longest row: 1 up to rounding."""

    @property
    def pairs(self) -> int:
        """How many pairs of tiles there are, each with itself included."""
        return len(self.radii) * (len(self.radii) + 1) // 2

    def near(self, limit: float) -> list[tuple[int, int]]:
        """Return the pairs of tiles that can hold a pair of rows with a product of at least `limit`."""
        cosine = min(1.0, limit / max(1.0, self.longest) ** 2)
        reach = np.arccos(cosine) if limit > 0 else np.pi
        found = []
        for tile, centre in enumerate(self.centres):
            gaps = angles(self.centres[tile:], centre) - self.radii[tile] - self.radii[tile:]
            gaps[0] = 0  # a tile is near itself
            found += [(tile, tile + int(other)) for other in np.flatnonzero(gaps <= reach + DOUBT)]
        return found


def tiles_of(vectors: Vectors, most: int) -> Tiles:
    """Put unit rows (or zeros) into tiles of at most `most` rows."""
    order, groups = _grouped(vectors, max(1, len(vectors) // most))
    edges = np.flatnonzero(np.diff(groups, prepend=-1, append=-1))
    starts = [start for a, b in pairwise(edges) for start in range(a, b, most)]
    centres, radii = np.zeros((len(starts), vectors.shape[1]), np.float32), np.zeros(len(starts))
    for tile, (start, end) in enumerate(pairwise([*starts, len(order)])):
        centres[tile], radii[tile] = _ball(vectors[order[start:end]])
    longest = float(np.sqrt(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64).max(initial=0)))
    return Tiles(order, np.array([*starts, len(order)]), centres, radii, longest)


def angles(rows: Vectors, centre: Vectors) -> Angles:
    """Return the angle between each row and a centre, in radians; for a row or a centre of zeros a right one."""
    wide, one = rows.astype(np.float64), centre.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=1) * np.linalg.norm(one)
    cosines = np.divide(wide @ one, lengths, out=np.zeros(len(rows)), where=lengths > 0)
    return np.asarray(np.arccos(np.clip(cosines, -1, 1)))


def _ball(rows: Vectors) -> tuple[Vectors, float]:
    """Return the centre of some rows, and how far the farthest is; rows of zeros are in no pair, and do not count."""
    rows = rows[rows.any(1)]
    middle = rows.sum(0, dtype=np.float64)
    length = float(np.linalg.norm(middle))
    if not length:
        return np.zeros(rows.shape[1], np.float32), float(np.pi)
    centre = (middle / length).astype(np.float32)
    return centre, float(angles(rows, centre).max())


def _grouped(vectors: Vectors, groups: int) -> tuple[Rows, Rows]:
    """Return the rows in the order of their groups, and the group of each.

    The centroids are rows at even distances, moved once into the middle of what is nearest to them (Lloyd 1982).
    """
    centroids = vectors[:: max(1, len(vectors) // groups)][:groups]
    nearest = _nearest(vectors, centroids)
    moved = np.zeros(centroids.shape, np.float32)
    np.add.at(moved, nearest, vectors)
    lengths = np.linalg.norm(moved, axis=1, keepdims=True)
    nearest = _nearest(vectors, np.divide(moved, lengths, out=moved, where=lengths > 0))
    order = np.argsort(nearest, kind="stable").astype(np.int32)
    return order, nearest[order]


def _nearest(vectors: Vectors, centroids: Vectors) -> Rows:
    found = np.zeros(len(vectors), np.int32)
    for start in range(0, len(vectors) if len(centroids) > 1 else 0, AT_ONCE):
        found[start : start + AT_ONCE] = (vectors[start : start + AT_ONCE] @ centroids.T).argmax(1)
    return found
