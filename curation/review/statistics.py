"""What a sample says about the whole: bounds on a defect rate and the sample sizes that reach them.

All are pure functions of counts, exact up to rounding, and need no library: sums of probabilities in logarithms, and
bisection where an equation has to be solved. A test compares every one with scipy.
"""

import math
from collections.abc import Callable

HALVINGS = 60
"""Bisection steps: more than a double has digits."""
PRIOR = (1.0, 50.0)
"""The beta mixture of the anytime-valid bound: it expects about two defects in a hundred."""


def binomial_cdf(k: int, n: int, p: float) -> float:
    """Return the chance of at most `k` defects in `n` independent draws from a source of defect rate `p`."""
    if k >= n or p <= 0:
        return 1.0
    if p >= 1:
        return 0.0
    hit, miss = math.log(p), math.log1p(-p)
    return min(1.0, math.fsum(math.exp(_log_choose(n, i) + i * hit + (n - i) * miss) for i in range(k + 1)))


def upper_bound(k: int, n: int, confidence: float) -> float:
    """Return the one-sided Clopper-Pearson bound: the largest defect rate that `k` defects in `n` do not rule out.

    Clopper and Pearson, Biometrika 26 (1934). It is never too low: a higher rate shows so few defects with a
    probability of at most 1 - confidence.
    """
    if k >= n:
        return 1.0
    return _root(lambda p: binomial_cdf(k, n, p) > 1 - confidence, k / n, 1.0)


def interval(k: int, n: int, confidence: float) -> tuple[float, float]:
    """Return the two-sided Clopper-Pearson interval of a rate."""
    if not n:
        return 0.0, 1.0
    one_sided = (1 + confidence) / 2
    return 1 - upper_bound(n - k, n, one_sided), upper_bound(k, n, one_sided)


def sample_size(limit: float, confidence: float, c: int) -> int:
    """Return the fewest draws of which at most `c` defects show that the rate is at most `limit`."""
    return _fewest(lambda n: binomial_cdf(c, n, limit) <= 1 - confidence, c + 1)


def finite_cdf(k: int, lot: int, bad: int, n: int) -> float:
    """Return the chance of at most `k` defects in `n` draws without replacement from a lot that holds `bad` of them."""
    least, most = max(0, n + bad - lot), min(k, bad, n)
    whole = _log_choose(lot, n)
    terms = (_log_choose(bad, i) + _log_choose(lot - bad, n - i) - whole for i in range(least, most + 1))
    return min(1.0, math.fsum(map(math.exp, terms)))


def finite_upper_bound(k: int, n: int, lot: int, confidence: float) -> float:
    """Return the largest defect rate of a finite lot that `k` defects in `n` draws do not rule out (hypergeometric)."""
    low, high = k, lot - n + k  # what was found is there; what was not drawn may all be bad
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if finite_cdf(k, lot, middle, n) > 1 - confidence else (low, middle - 1)
    return low / lot


def finite_sample_size(limit: float, confidence: float, c: int, lot: int) -> int:
    """Return the fewest draws from a finite lot of which at most `c` defects show that its rate is at most `limit`.

    `c` must be less than the defects that would be too many; otherwise even the whole lot shows nothing.
    """
    too_many = allowed(limit, lot) + 1
    return _fewest(lambda n: n >= lot or finite_cdf(c, lot, too_many, n) <= 1 - confidence, c + 1)


def allowed(limit: float, lot: int) -> int:
    """Return the most defects that a lot of that size may hold."""
    return math.floor(limit * lot + 1e-9)


def anytime_evidence(k: int, n: int, limit: float) -> float:
    """Return the evidence against a rate of `limit`, as odds: a martingale if the rate is `limit`.

    By Ville's inequality it ever reaches 1 / a with a probability of at most a, so a reviewer may look at it after
    every record and stop when it pleases. It is the likelihood under a beta mixture over that at the limit.
    """
    return math.exp(min(700.0, _log_evidence(k, n, limit)))


def anytime_upper_bound(k: int, n: int, confidence: float) -> float:
    """Return the bound that holds at every moment of a review at once, with that confidence."""
    needed = -math.log(1 - confidence)
    if not n or k >= n:
        return 1.0
    return _root(lambda p: _log_evidence(k, n, p) < needed, k / n, 1.0)


def anytime_sample_size(limit: float, confidence: float, k: int) -> int:
    """Return after how many records, `k` of them defects, an anytime-valid review may stop."""
    needed = -math.log(1 - confidence)
    # Only where fewer are bad than the limit allows is the evidence in favour of the lot.
    return _fewest(lambda n: k < limit * n and _log_evidence(k, n, limit) >= needed, k + 1)


def _log_evidence(k: int, n: int, p: float) -> float:
    if p in (0.0, 1.0):
        return math.inf
    a, b = PRIOR
    mixture = _log_beta(k + a, n - k + b) - _log_beta(a, b)
    return mixture - k * math.log(p) - (n - k) * math.log1p(-p)


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def _root(holds: Callable[[float], bool], low: float, high: float) -> float:
    """Return where `holds`, true at `low` and false at `high`, changes."""
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return high


def _fewest(enough: Callable[[int], bool], least: int) -> int:
    """Return the smallest n from `least` on that is enough, where all larger ones are too."""
    high = least
    while not enough(high):
        high *= 2
    low = max(least, high // 2)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return low
