"""Like pairs are found exactly: as by multiplying everything with everything."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.dedupe import semantic
from curation.dedupe.semantic import Pairs, bounds_of, close_pairs, cosines, slack
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
    """Return the pairs that the full table shows, each summed as a pair is summed."""
    first, second = (side.astype(np.int32) for side in np.triu_indices(len(vectors), 1))
    alike = cosines(vectors, first, second) >= limit
    return set(zip(first[alike].tolist(), second[alike].tolist(), strict=True))


def as_set(pairs: Pairs) -> set[tuple[int, int]]:
    """Return pairs for comparing; each occurs once."""
    found = list(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
    assert len(found) == len(set(found))
    return set(found)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    limit=st.sampled_from([0.2, 0.5, 0.9, 0.99, 1.0]),
    tile=st.integers(1, 70),
    directions=st.sampled_from([1, 4, 12, 24]),
)
def test_no_pair_is_missed_and_none_is_made_up(seed: int, limit: float, tile: int, directions: int) -> None:
    """Whatever the tiles, however short the bound, with rows of zeros, up to a limit of exactly 1."""
    vectors = clustered(seed)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(semantic, "DIRECTIONS", directions)
        assert as_set(close_pairs(vectors, limit, tile=tile)) == by_force(vectors, limit)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), directions=st.integers(1, 23))
def test_the_bound_is_never_below_the_cosine_by_more_than_the_slack(seed: int, directions: int) -> None:
    """In fp32, summed by whatever library multiplies here; the order of a row's numbers is no matter either."""
    vectors = clustered(seed)
    bounds = bounds_of(vectors, directions)
    table = vectors.astype(np.float64) @ vectors.T.astype(np.float64)
    off_diagonal = ~np.eye(len(table), dtype=bool)

    for products in (bounds @ bounds.T, bounds[:, ::-1] @ bounds[:, ::-1].T):
        assert np.all((products - table)[off_diagonal] >= -slack(directions + 1))


def test_a_bound_that_is_too_low_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without what is left of the lengths pairs are missed: the comparison by force can fail."""
    vectors = clustered(1)
    monkeypatch.setattr(semantic, "DIRECTIONS", 4)
    monkeypatch.setattr(semantic, "bounds_of", lambda rows, directions: bounds_of(rows, directions)[:, :-1])

    assert as_set(close_pairs(vectors, 0.9)) < by_force(vectors, 0.9)


def test_the_axes_do_not_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other directions, as another library might find them, give the same pairs with the same scores."""
    vectors = clustered(2)
    monkeypatch.setattr(semantic, "DIRECTIONS", 8)
    found = close_pairs(vectors, 0.5)
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(24, 24)))[0]
    monkeypatch.setattr(np.linalg, "eigh", lambda _: (None, turn))

    again = close_pairs(vectors, 0.5)

    assert [side.tolist() for side in found] == [side.tolist() for side in again]


def test_a_pair_across_two_tiles_is_found_at_any_distance() -> None:
    """The first row and the last are alike, with tiles between them."""
    vectors = np.eye(40, dtype=np.float32)
    vectors[39] = vectors[0]

    assert as_set(close_pairs(vectors, 1.0, tile=7)) == {(0, 39)}


def test_zero_rows_are_like_nothing() -> None:
    """Not even each other, at any limit above 0."""
    assert not as_set(close_pairs(np.zeros((5, 3), np.float32), 0.001))


def test_few_rows_are_no_matter() -> None:
    """None and one."""
    assert not len(close_pairs(clustered(0)[:0], 0.5).first)
    assert not len(close_pairs(clustered(0)[1:2], 0.5).first)


def test_cosines_are_the_same_in_any_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded, the sums are not touched."""
    vectors = clustered(1)
    pairs = close_pairs(vectors, 0.3)
    monkeypatch.setattr(semantic, "AT_ONCE", 7)

    assert np.array_equal(cosines(vectors, pairs.first, pairs.second), pairs.scores)


def test_progress_ends_at_all_tiles() -> None:
    """Sixty rows in tiles of twenty: six tiles on and above the diagonal."""
    calls: list[tuple[int, int]] = []

    close_pairs(clustered(0), 0.9, tile=20, told=lambda done, total: calls.append((done, total)))

    assert calls == [(done, 6) for done in range(7)]
