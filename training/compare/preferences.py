"""Which of two models was preferred, by people or by a judge, and how much of that is length.

A score is what the second model got of a prompt: 1 won, 0 lost, between where it was divided. Those who judge like
long answers, so the rate is also computed as if both answers were of one length: a logistic regression of the score on
the difference in words, read where that is nought (Dubois et al., https://arxiv.org/abs/2404.04475, without its term
for how hard a prompt is).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from schemas.interval import wilson
from training.compare.intervals import FEWEST, TAILS, Estimate, Floats, counter

EVEN = 0.5
DRAWS = 1_000
"""Fits for the interval of the length-controlled rate."""
STEPS = 25
"""Of Newton's method; it needs fewer than ten."""
RIDGE = 0.1
"""Weight of the prior that holds a fit finite where every score is the same: a tenth of one prompt's."""


@dataclass(frozen=True, slots=True)
class Score:
    """What became of one prompt."""

    value: float
    """Of the second model, 0 to 1."""
    extra_words: int
    """By which its answer is longer than the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """How often the second model was preferred to the first."""

    wins: int
    ties: int
    losses: int
    rate: Estimate
    """Of the second model; a tie is half a win. Wilson's interval over the prompts."""
    controlled: Estimate | None
    """The same, were both answers of one length; None where there are too few prompts."""
    longer: Estimate | None
    """Of the prompts that one model won with answers of different length: the share that the longer one won."""


def prefer(scores: Sequence[Score], label: str) -> Preference | None:
    """Sum up scores, one a prompt; None where there are none."""
    if not scores:
        return None
    values = [one.value for one in scores]
    return Preference(
        wins=sum(value > EVEN for value in values),
        ties=sum(value == EVEN for value in values),
        losses=sum(value < EVEN for value in values),
        rate=_rate(values),
        controlled=length_controlled(scores, label) if len(scores) >= FEWEST else None,
        longer=_longer(scores),
    )


def shows_preference(rate: Estimate) -> bool:
    """Say whether a rate shows a preference: whether there are prompts enough and its interval leaves out a half."""
    return rate.units >= FEWEST and not rate.low <= EVEN <= rate.high


def length_controlled(scores: Sequence[Score], label: str) -> Estimate:
    """Return the rate at equal length, with a bootstrap interval over the prompts."""
    extra = np.array([one.extra_words for one in scores], dtype=np.float64)
    features = np.stack([np.ones(len(scores)), np.tanh(extra / (extra.std() or 1.0))], axis=1)
    values = np.array([one.value for one in scores])
    whole = np.ones((1, len(scores)))
    drawn = counter(f"length/{label}").multinomial(len(scores), np.full(len(scores), 1 / len(scores)), size=DRAWS)
    rates = _at_equal_length(features, values, np.concatenate([whole, drawn]))
    low, high = np.percentile(rates[1:], TAILS)
    return Estimate(float(rates[0]), float(low), float(high), units=len(scores))


def logistic(features: Floats, values: Floats, weights: Floats) -> Floats:
    """Fit logistic regressions by Newton's method: [units, k], [units], [fits, units] → coefficients [fits, k]."""
    fitted = np.zeros((len(weights), features.shape[1]))
    prior = RIDGE * np.eye(features.shape[1])
    for _ in range(STEPS):
        expected = _sigmoid(fitted @ features.T)
        slope = (weights * (values - expected)) @ features - RIDGE * fitted
        curve = np.einsum("fu,ui,uj->fij", weights * expected * (1 - expected), features, features) + prior
        fitted += np.linalg.solve(curve, slope[:, :, None])[:, :, 0]
    return fitted


def _at_equal_length(features: Floats, values: Floats, weights: Floats) -> Floats:
    return _sigmoid(logistic(features, values, weights)[:, 0])


def _sigmoid(values: Floats) -> Floats:
    result: Floats = 0.5 * (1 + np.tanh(values / 2))  # does not overflow
    return result


def _rate(values: Sequence[float]) -> Estimate:
    return Estimate(sum(values) / len(values), *wilson(sum(values), len(values)), units=len(values))


def _longer(scores: Sequence[Score]) -> Estimate | None:
    decided = [one for one in scores if one.value != EVEN and one.extra_words]
    if not decided:
        return None
    return _rate([float((one.value > EVEN) == (one.extra_words > 0)) for one in decided])
