"""Like pairs are found exactly: as by multiplying everything with everything."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.dedupe import semantic
from curation.dedupe.semantic import Pairs, Search, bounds_of, close_pairs, cosines, slack
from curation.dedupe.tiles import Tiles, tiles_of
from curation.embedding.encoder import Vectors
from curation.engine import Engine


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
    """Pairs of tiles that need not be looked at are done from the beginning."""
    calls: list[tuple[int, int]] = []
    search = Search.of(clustered(0), 0.9, 4)
    pairs, left = search.tiles.pairs, len(search.tiles.near(0.9))

    close_pairs(clustered(0), 0.9, tile=4, told=lambda done, total: calls.append((done, total)))

    assert calls[0] == (pairs - left, pairs)
    assert calls[-1] == (pairs, pairs)
    assert calls == sorted(calls)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), limit=st.sampled_from([-0.5, 0.0, 0.2, 0.9, 1.0]), tile=st.integers(1, 70))
def test_no_pair_of_tiles_that_is_skipped_holds_a_pair(seed: int, limit: float, tile: int) -> None:
    """On rows in groups and on rows in no order, each row stands in one tile, and pairs stand in near tiles."""
    for vectors in (clustered(seed), scattered(seed)):
        tiles = tiles_of(vectors, tile)
        of = np.zeros(len(vectors), int)
        for number, (start, end) in enumerate(zip(tiles.starts[:-1], tiles.starts[1:], strict=True)):
            of[tiles.order[start:end]] = number

        near = set(tiles.near(limit))

        assert sorted(tiles.order.tolist()) == list(range(len(vectors)))
        assert np.diff(tiles.starts).max() <= tile
        assert all(
            tuple(sorted((of[a], of[b]))) in near for a, b in by_force(vectors, limit) if vectors[[a, b]].any(1).all()
        )


def test_tiles_that_are_far_apart_are_skipped() -> None:
    """Tight groups in different directions: each is held against itself alone."""
    draw = np.random.default_rng(0)
    rows = np.repeat(np.eye(8), 10, axis=0) + draw.normal(size=(80, 8)) * 0.01
    vectors = np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)

    tiles = tiles_of(vectors, 10)

    assert tiles.near(0.9) == [(tile, tile) for tile in range(8)]
    assert tiles.pairs == 36


def test_radii_that_are_too_small_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a tenth of them pairs are missed: the bound is needed, and the comparison by force can fail."""
    vectors = scattered(2)
    assert as_set(close_pairs(vectors, 0.5, tile=5)) == by_force(vectors, 0.5)
    monkeypatch.setattr(semantic, "tiles_of", lambda *given: shrunk(tiles_of(*given)))

    assert as_set(close_pairs(vectors, 0.5, tile=5)) < by_force(vectors, 0.5)


def shrunk(tiles: Tiles) -> Tiles:
    """Return tiles that are said to be smaller than they are."""
    return replace(tiles, radii=tiles.radii / 10)


def scattered(seed: int) -> Vectors:
    """Return unit rows without any order."""
    rows = np.random.default_rng(seed).normal(size=(50, 5))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


@pytest.mark.parametrize("workers", [1, 3])
def test_workers_do_not_decide(workers: int) -> None:
    """One thread or several, in any tiles: the same pairs, scores and order."""
    expected = close_pairs(clustered(5), 0.4)

    found = close_pairs(clustered(5), 0.4, tile=3, engine=Engine(workers=workers))

    assert [side.tolist() for side in found] == [side.tolist() for side in expected]
