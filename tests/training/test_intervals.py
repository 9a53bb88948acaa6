"""Intervals: as scipy has them, as wide as they must be, and the same each time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from training.intervals import FEWEST, Estimate, Part, counter, difference, draw, ratio, share, shows, wilson


@given(data=st.data(), of=st.integers(1, 300))
def test_wilsons_interval_is_scipys(data: st.DataObject, of: int) -> None:
    """To the last digits that matter."""
    hits = data.draw(st.integers(0, of))

    expected = binomtest(hits, of).proportion_ci(method="wilson")
    assert wilson(hits, of) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_nothing_seen_leaves_everything_open() -> None:
    """From none to all."""
    assert wilson(0, 0) == (0.0, 1.0)
    assert share([]) is None
    assert ratio([Part(0, 0)], "none") is None
    assert difference([Part(0, 0)], [Part(1, 1)], "none") is None


def test_a_ratio_is_of_sums() -> None:
    """Not the mean of the prompts' own ratios."""
    found = ratio([Part(1, 2), Part(9, 10)], "sums")

    assert found is not None
    assert found.value == pytest.approx(10 / 12)
    assert found.low <= found.value <= found.high


def test_the_bootstrap_of_a_mean_is_as_wide_as_theory_says() -> None:
    """Within a tenth of 1.96 standard errors."""
    values = counter("values").normal(size=400)
    found = ratio([Part(float(one)) for one in values], "mean")

    assert found is not None
    half = 1.96 * values.std() / 20
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.1)


def test_a_difference_over_the_same_prompts_is_narrower_than_over_others() -> None:
    """What pairing is for: prompts differ more than models do."""
    hard = counter("hard").normal(size=100)
    first = [Part(float(one)) for one in hard]
    second = [Part(float(one) + 0.1) for one in hard]

    found = difference(first, second, "paired")

    assert found is not None
    assert found.value == pytest.approx(0.1)
    assert found.high - found.low < 1e-9
    assert shows(found)


def test_no_difference_is_seldom_called_one() -> None:
    """Of a hundred pairs of equal models about five."""
    called = 0
    for number in range(100):
        drawn = counter(f"null/{number}").integers(2, size=(2, 60))
        first, second = ([Part(float(one)) for one in row] for row in drawn)
        found = difference(first, second, f"null/{number}")
        assert found is not None
        called += shows(found)

    assert called <= 12


def test_few_prompts_show_nothing() -> None:
    """However clear they are: nine of nine is not all."""
    assert not shows(Estimate(1.0, 1.0, 1.0, FEWEST - 1))
    assert shows(Estimate(1.0, 1.0, 1.0, FEWEST))


def test_draws_depend_on_their_label_alone() -> None:
    """Not on what was drawn before."""
    columns = np.arange(10, dtype=np.float64)[None]
    before = draw(columns, "a")
    draw(columns, "b")

    assert np.array_equal(draw(columns, "a"), before)
    assert not np.array_equal(draw(columns, "b"), before)
