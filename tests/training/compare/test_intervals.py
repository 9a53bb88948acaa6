"""Intervals: as scipy has them, as wide as they must be, and the same each time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from schemas.interval import wilson
from training.compare.intervals import (
    FEWEST,
    Estimate,
    Part,
    counter,
    difference,
    draw,
    ratio,
    share,
    share_difference,
    shows,
)


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


def test_a_difference_of_shares_holds_the_true_one_19_times_of_20() -> None:
    """In 500 simulations of paired answers near the edge, where a bootstrap would not."""
    held = 0
    for number in range(500):
        drawn = counter(f"cover/{number}").random((2, 30))
        hard = drawn[0] < 0.7
        first, second = hard & (drawn[1] < 0.9), hard | (drawn[1] < 0.9)
        found = share_difference([Part(float(one)) for one in first], [Part(float(one)) for one in second])
        assert found is not None
        held += found.low <= (1 - 0.3 * 0.1) - 0.7 * 0.9 <= found.high

    assert held / 500 == pytest.approx(0.95, abs=0.03)


def test_winning_every_prompt_is_not_certainty() -> None:
    """Of 24; and equal answers leave a difference open."""
    won = share_difference([Part(0.0)] * 24, [Part(1.0)] * 24)
    same = share_difference([Part(1.0)] * 24, [Part(1.0)] * 24)

    assert won is not None
    assert (won.value, won.high, shows(won)) == (1.0, 1.0, True)
    assert 0.75 < won.low < 0.85
    assert same is not None
    assert same.low < 0 < same.high
    assert share_difference([], []) is None


@given(pairs=st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_the_interval_of_a_difference_turns_with_the_models(pairs: list[tuple[bool, bool]]) -> None:
    """And holds what was seen."""
    first, second = ([Part(float(pair[side])) for pair in pairs] for side in (0, 1))
    there, back = share_difference(first, second), share_difference(second, first)

    assert there is not None
    assert back is not None
    assert -1 <= there.low <= there.value <= there.high <= 1
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))


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
