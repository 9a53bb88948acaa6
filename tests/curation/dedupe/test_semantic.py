"""Like pairs and nearest neighbours are found exactly: as by multiplying everything with everything."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.dedupe import semantic
from curation.dedupe.semantic import Pairs, close_pairs, close_pairs_and_nearest, cosines
from curation.embedding.encoder import Vectors


def clustered(seed: int, rows: int = 60, dimensions: int = 24) -> Vectors:
    """Return unit rows around a few centres, one of them empty, some of them equal."""
    draw = np.random.default_rng(seed)
    centres = draw.normal(size=(8, dimensions))
    found = centres[draw.integers(8, size=rows)] + draw.normal(size=(rows, dimensions)) * draw.choice([0, 0.1, 0.5])
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    found[0] = 0
    return np.asarray(found, np.float32)


def by_force(vectors: Vectors, limit: float) -> set[tuple[int, int]]:
    """Return the pairs that a full table shows, but for those at the very limit."""
    table = vectors.astype(np.float64) @ vectors.T.astype(np.float64)
    return {(int(a), int(b)) for a, b in np.argwhere(table >= limit) if a < b}


def as_set(pairs: Pairs) -> set[tuple[int, int]]:
    """Return pairs for comparing; each occurs once."""
    found = list(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
    assert len(found) == len(set(found))
    return set(found)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    limit=st.sampled_from([0.2, 0.5, 0.9, 0.99]),
    tile=st.integers(1, 70),
    directions=st.sampled_from([1, 4, 12, 24]),
)
def test_no_pair_is_missed_and_none_is_made_up(seed: int, limit: float, tile: int, directions: int) -> None:
    """Whatever the tiles, and however short the bound."""
    vectors = clustered(seed)
    expected = by_force(vectors, limit)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(semantic, "DIRECTIONS", directions)
        assert as_set(close_pairs(vectors, limit, tile=tile)) == expected
    assert as_set(close_pairs_and_nearest(vectors, limit, tile=tile)[0]) == expected


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), tile=st.integers(1, 70))
def test_the_nearest_neighbour_is_the_nearest(seed: int, tile: int) -> None:
    """Its cosine is the row's greatest, and it is another row."""
    vectors = clustered(seed)
    table = vectors @ vectors.T
    np.fill_diagonal(table, -2)

    _, nearest = close_pairs_and_nearest(vectors, 0.9, tile=tile)

    assert nearest.cosine == pytest.approx(table.max(1), abs=1e-6)
    assert table[np.arange(len(table)), nearest.row] == pytest.approx(nearest.cosine, abs=1e-6)


def test_a_single_row_has_no_neighbour() -> None:
    """Which is said by a cosine that no pair can have."""
    pairs, nearest = close_pairs_and_nearest(clustered(0, rows=2)[1:], 0.5)

    assert not len(pairs.first)
    assert nearest.cosine.tolist() == [-2]


def test_cosines_are_the_same_in_any_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded, the sums are not touched."""
    vectors = clustered(1)
    pairs = close_pairs(vectors, 0.3)
    whole = cosines(vectors, pairs)
    monkeypatch.setattr(semantic, "AT_ONCE", 7)

    assert np.array_equal(cosines(vectors, pairs), whole)


def test_progress_ends_at_all_tiles() -> None:
    """Sixty rows in tiles of twenty: six tiles on and above the diagonal."""
    calls: list[tuple[int, int]] = []

    close_pairs(clustered(0), 0.9, tile=20, told=lambda done, total: calls.append((done, total)))

    assert calls == [(done, 6) for done in range(7)]
