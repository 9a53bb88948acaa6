"""Correlations of ranks, and how large chance alone makes them."""

import math

import numpy as np

from curation.score.columns import Numbers

FEWEST = 10
"""Records that two scorers must both have scored for a correlation to be said."""
NORMAL = 1.959964
"""Standard deviations of the normal distribution within which 95 of 100 draws fall."""


def spearman(a: Numbers, b: Numbers) -> float:
    """Return the correlation of ranks, equal values sharing the mean rank; not a number where all are equal."""
    return _pearson(_ranks(a), _ranks(b))


def chance_of(n: int) -> float:
    """Return how large the coefficient of two unrelated scorers is in 95 of 100 data sets of `n` records, at most."""
    return min(1.0, NORMAL / math.sqrt(n - 1)) if n > 1 else 1.0


def interval_of(rho: float, n: int) -> tuple[float, float]:
    """Return the 95 % interval of Spearman's coefficient over `n` records, in closed form (Bonett and Wright 2000)."""
    middle = math.atanh(max(-1 + 1e-12, min(1 - 1e-12, rho)))
    reach = NORMAL * math.sqrt((1 + rho**2 / 2) / (n - 3))
    return math.tanh(middle - reach), math.tanh(middle + reach)


def _ranks(values: Numbers) -> Numbers:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Numbers = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return ranks


def _pearson(a: Numbers, b: Numbers) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / size if size else math.nan
