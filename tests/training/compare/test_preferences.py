"""Preferences: the rate, its interval, and what is left of it at equal length."""

import numpy as np
import pytest
from scipy.optimize import minimize

from training.compare.intervals import counter
from training.compare.preferences import RIDGE, Score, length_controlled, logistic, prefer, shows_preference


def test_wins_ties_and_losses_are_counted() -> None:
    """A tie is half a win."""
    found = prefer([Score(1, 0), Score(0.5, 0), Score(0, 3), Score(0.75, 2)], "counts")

    assert found is not None
    assert (found.wins, found.ties, found.losses) == (2, 1, 1)
    assert (found.rate.value, found.rate.units) == (0.5625, 4)
    assert found.controlled is None
    assert found.longer is not None
    assert (found.longer.value, found.longer.units) == (0.5, 2)


def test_nothing_says_nothing() -> None:
    """No votes, no preference."""
    assert prefer([], "none") is None


def test_newtons_fit_is_scipys() -> None:
    """The same loss, minimised by other means."""
    random = counter("fit")
    features = np.stack([np.ones(50), random.normal(size=50)], axis=1)
    values = random.integers(2, size=50).astype(np.float64)

    def loss(weights: np.ndarray) -> float:
        z = features @ weights
        return float((np.logaddexp(0, z) - values * z).sum() + RIDGE * (weights**2).sum() / 2)

    expected = minimize(loss, np.zeros(2)).x
    assert logistic(features, values, np.ones((1, 50)))[0] == pytest.approx(expected, abs=1e-4)


def test_a_preference_that_is_length_alone_goes_at_equal_length() -> None:
    """The longer answer always wins, and the second model is usually the longer: raw 80 %, controlled about a half."""
    random = counter("length alone")
    extra = [int(one) for one in random.normal(loc=30, scale=35, size=200)]
    scores = [Score(float(random.random() < 1 / (1 + np.exp(-one / 10))), one) for one in extra]

    found = prefer(scores, "length")

    assert found is not None
    assert found.rate.value > 0.7
    assert found.controlled is not None
    assert found.controlled.low < 0.5 < found.controlled.high
    assert found.longer is not None
    assert found.longer.value > 0.8


def test_a_preference_that_is_not_length_stays() -> None:
    """Wins that have nothing to do with words."""
    random = counter("not length")
    scores = [Score(float(random.random() < 0.8), int(random.integers(-20, 20))) for _ in range(150)]

    found = length_controlled(scores, "stays")

    assert found.value == pytest.approx(0.8, abs=0.1)
    assert shows_preference(found)


def test_scores_that_are_all_the_same_have_a_rate() -> None:
    """A fit that would run to infinity is held."""
    found = length_controlled([Score(1.0, number) for number in range(20)], "same")

    assert 0.9 < found.value <= 1.0
    assert np.isfinite(found.low)
