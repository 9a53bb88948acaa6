"""Wilson intervals against published values and their own laws."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.interval import wilson


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_published_examples(hits: int, of: int, low: float, high: float) -> None:
    """The four examples of Newcombe (1998), table I, and what the same formula gives for the third."""
    assert wilson(hits, of) == pytest.approx((low, high), abs=6e-5)


@given(of=st.integers(1, 500), data=st.data())
def test_the_interval_holds_the_share_and_mirrors(of: int, data: st.DataObject) -> None:
    """It lies within 0 and 1, holds what was seen, and misses are the mirror of hits."""
    hits = data.draw(st.integers(0, of))
    low, high = wilson(hits, of)

    assert 0 <= low <= hits / of <= high <= 1
    assert (1 - high, 1 - low) == pytest.approx(wilson(of - hits, of))


def test_nothing_seen_says_nothing() -> None:
    """Of no trials every share is possible."""
    assert wilson(0, 0) == (0.0, 1.0)
