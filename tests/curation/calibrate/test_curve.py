"""Weighted precision, its bounds, and the threshold for a target."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.calibrate.curve import Judged, curve, lowest_for, point, share


def judged(cosine: float, *, same: bool, agrees: bool = True, weight: float = 1.0) -> Judged:
    """Return a judged pair."""
    return Judged(cosine=cosine, weight=weight, same=same, agrees=agrees)


def test_wilsons_bounds_are_those_of_the_books() -> None:
    """Eight of ten: 0.49 to 0.943."""
    found = share([(1.0, True)] * 8 + [(1.0, False)] * 2)

    assert (found.of, found.pairs) == (0.8, 10)
    assert [found.low, found.high] == pytest.approx([0.4902, 0.9433], abs=1e-4)


def test_weights_make_bounds_wider_never_narrower() -> None:
    """A pair that stands for many is still one pair."""
    even, uneven = share([(1.0, True)] * 20), share([(1.0, True)] * 19 + [(19.0, True)])

    assert uneven.low < even.low
    assert even.of == uneven.of == 1


def test_of_no_pairs_nothing_is_known() -> None:
    """Not zero, and not one."""
    found = share([])

    assert math.isnan(found.of)
    assert (found.low, found.high) == (0, 1)


@given(st.lists(st.tuples(st.floats(0.1, 1000), st.booleans()), min_size=1, max_size=30))
def test_the_share_lies_within_its_bounds(pairs: list[tuple[float, bool]]) -> None:
    """Whatever the weights."""
    found = share(pairs)

    assert -1e-9 <= found.low <= found.of + 1e-9
    assert found.of <= found.high + 1e-9
    assert found.high <= 1 + 1e-9


def test_a_point_counts_what_the_verifier_lets_through() -> None:
    """Precision of what goes, recall of all that could."""
    pairs = [
        judged(0.95, same=True, weight=2),
        judged(0.93, same=False, agrees=False),
        judged(0.91, same=False),
        judged(0.8, same=True, weight=5),
    ]

    found = point(pairs, 0.9)

    assert found.precision.of == pytest.approx(2 / 3)
    assert found.recall == pytest.approx(2 / 7)


def test_the_threshold_is_the_lowest_from_which_on_all_reach_the_target() -> None:
    """A lucky lower one does not count."""
    pairs = [judged(0.8, same=True, weight=50), judged(0.85, same=False), judged(0.92, same=True)]
    points = curve(pairs)

    found = lowest_for(points, 0.95)

    assert point(pairs, 0.8).precision.of > 0.95
    assert found is not None
    assert found.threshold == 0.86
    assert lowest_for(curve([judged(0.9, same=False)]), 0.95) is None
