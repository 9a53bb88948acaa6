"""The statistics are those of the textbooks: compared with scipy, and with the table that plans are made from."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from curation.review.statistics import (
    allowed,
    anytime_evidence,
    anytime_sample_size,
    anytime_upper_bound,
    binomial_cdf,
    finite_cdf,
    finite_sample_size,
    finite_upper_bound,
    interval,
    sample_size,
    upper_bound,
)
from schemas.interval import wilson

TABLE = {
    0.005: (598, 947, 1258, 1549, 1829, 2100),
    0.01: (299, 473, 628, 773, 913, 1049),
    0.02: (149, 236, 313, 386, 456, 523),
    0.03: (99, 157, 208, 257, 303, 348),
    0.05: (59, 93, 124, 153, 181, 208),
    0.10: (29, 46, 61, 76, 89, 103),
}
"""Limit → records of which 0 to 5 may be bad, at 95 %."""
rates = st.floats(0.0005, 0.6)
confidences = st.sampled_from([0.8, 0.9, 0.95, 0.99])


@st.composite
def found(draw: st.DrawFn, most: int = 800) -> tuple[int, int]:
    """Return defects and records."""
    n = draw(st.integers(1, most))
    return draw(st.integers(0, n)), n


@given(found(), rates)
def test_the_binomial_is_scipys(counts: tuple[int, int], p: float) -> None:
    """To nine digits."""
    k, n = counts

    assert binomial_cdf(k, n, p) == pytest.approx(stats.binom.cdf(k, n, p), rel=1e-9, abs=1e-12)


@given(found(), confidences)
def test_the_bound_is_the_beta_quantile(counts: tuple[int, int], confidence: float) -> None:
    """Clopper-Pearson, one-sided."""
    k, n = counts

    expected = stats.beta.ppf(confidence, k + 1, n - k) if k < n else 1.0

    assert upper_bound(k, n, confidence) == pytest.approx(expected, rel=1e-7)


@given(found(), confidences)
def test_intervals_are_scipys(counts: tuple[int, int], confidence: float) -> None:
    """Exact, two-sided."""
    k, n = counts
    exact = stats.binomtest(k, n).proportion_ci(confidence, "exact")

    assert interval(k, n, confidence) == pytest.approx((exact.low, exact.high), rel=1e-6, abs=1e-9)


def test_nothing_looked_at_says_nothing() -> None:
    """Every rate is possible."""
    assert interval(0, 0, 0.95) == (0.0, 1.0)
    assert upper_bound(0, 0, 0.95) == anytime_upper_bound(0, 0, 0.95) == 1.0


@pytest.mark.parametrize("limit", TABLE)
def test_sample_sizes_are_the_table(limit: float) -> None:
    """And scipy says of each that one record fewer would not do."""
    sizes = tuple(sample_size(limit, 0.95, c) for c in range(6))

    assert sizes == TABLE[limit]
    for c, n in enumerate(sizes):
        assert stats.binom.cdf(c, n, limit) <= 0.05 < stats.binom.cdf(c, n - 1, limit)


def test_sample_sizes_of_higher_confidence_and_of_careless_reviewers() -> None:
    """99 %, no defect; and a reviewer who finds 9, 8 or 7 of ten defects."""
    assert [sample_size(limit, 0.99, 0) for limit in TABLE] == [919, 459, 228, 152, 90, 44]
    assert [sample_size(0.02 * seen, 0.95, 0) for seen in (0.9, 0.8, 0.7)] == [165, 186, 213]


def test_bounds_of_two_hundred_records() -> None:
    """As published, in per cent; Wilson's is too good."""
    bounds = [round(100 * upper_bound(k, 200, 0.95), 2) for k in (0, 1, 2, 3, 5, 10)]

    assert bounds == [1.49, 2.35, 3.11, 3.83, 5.18, 8.33]
    assert round(100 * wilson(0, 200, z=1.644854)[1], 2) == 1.33


@pytest.mark.parametrize(("good", "exact"), [(184, (87.3, 95.4)), (158, (72.7, 84.4)), (116, (50.8, 64.9))])
def test_intervals_of_self_instructs_two_hundred(good: int, exact: tuple[float, float]) -> None:
    """What 92, 79 and 58 per cent of 200 mean."""
    low, high = interval(good, 200, 0.95)

    assert (round(100 * low, 1), round(100 * high, 1)) == exact


def test_the_chance_that_a_good_lot_passes() -> None:
    """By true rate, for four plans of the same limit: why the default allows three defects."""
    rates = (0.001, 0.0025, 0.005, 0.01, 0.02)
    plans = {(149, 0): (0.86, 0.69, 0.47, 0.22, 0.05), (386, 3): (1.0, 0.98, 0.87, 0.46, 0.05)}

    for (n, c), expected in plans.items():
        assert tuple(round(binomial_cdf(c, n, rate), 2) for rate in rates) == expected


@given(st.integers(1, 300), st.data())
def test_finite_lots_are_scipys(lot: int, data: st.DataObject) -> None:
    """The hypergeometric distribution."""
    bad, n = data.draw(st.integers(0, lot)), data.draw(st.integers(0, lot))
    k = data.draw(st.integers(0, n))

    assert finite_cdf(k, lot, bad, n) == pytest.approx(stats.hypergeom.cdf(k, lot, bad, n), rel=1e-8, abs=1e-11)


def test_sample_sizes_of_finite_lots() -> None:
    """As published: they help little."""
    assert [finite_sample_size(0.02, 0.95, 0, lot) for lot in (500, 1000, 5000, 15000)] == [119, 132, 145, 148]


@given(st.integers(1, 400), confidences, st.data())
def test_the_bound_of_a_finite_lot_is_the_last_that_is_possible(
    lot: int, confidence: float, data: st.DataObject
) -> None:
    """One more bad record would have shown more defects, nearly always; of a whole lot it is the count itself."""
    n = data.draw(st.integers(1, lot))
    k = data.draw(st.integers(0, n))

    bad = round(finite_upper_bound(k, n, lot, confidence) * lot)

    assert k <= bad <= lot - n + k
    assert bad == k or stats.hypergeom.cdf(k, lot, bad, n) > 1 - confidence - 1e-9
    assert bad == lot - n + k or stats.hypergeom.cdf(k, lot, bad + 1, n) <= 1 - confidence + 1e-9
    assert finite_upper_bound(k, lot, lot, confidence) == k / lot if k <= lot else True


@given(st.sampled_from([0.01, 0.02, 0.05, 0.1]), st.integers(20, 2000), st.integers(0, 3))
def test_a_finite_sample_that_passes_keeps_the_limit(limit: float, lot: int, c: int) -> None:
    """With c defects or fewer the bound is at most the limit."""
    c = min(c, allowed(limit, lot))

    n = finite_sample_size(limit, 0.95, c, lot)

    assert n <= lot
    assert finite_upper_bound(c, n, lot, 0.95) <= limit + 1e-12


def test_when_an_anytime_review_may_stop() -> None:
    """The price of looking after every record, against 149, 236, 313 and 386."""
    assert [anytime_sample_size(0.02, 0.95, k) for k in range(4)] == [235, 357, 461, 557]


@given(found(600), st.sampled_from([0.01, 0.02, 0.05]))
def test_the_evidence_is_a_likelihood_ratio(counts: tuple[int, int], limit: float) -> None:
    """Of a beta-binomial to the binomial, the number of ways cancelled."""
    k, n = counts

    log = stats.betabinom.logpmf(k, n, 1, 50) - stats.binom.logpmf(k, n, limit)

    assert math.log(anytime_evidence(k, n, limit)) == pytest.approx(min(700.0, log), rel=1e-6, abs=1e-6)


def test_the_evidence_is_a_martingale() -> None:
    """Whatever was found, the next record is expected to leave it as it is, if the rate is at the limit."""
    for k, n in ((0, 0), (0, 50), (3, 100)):
        after = 0.02 * anytime_evidence(k + 1, n + 1, 0.02) + 0.98 * anytime_evidence(k, n + 1, 0.02)

        assert after == pytest.approx(anytime_evidence(k, n, 0.02))


@given(found(600))
def test_an_anytime_bound_is_never_below_the_fixed_one(counts: tuple[int, int]) -> None:
    """To stop when one pleases has a price."""
    k, n = counts

    assert anytime_upper_bound(k, n, 0.95) >= upper_bound(k, n, 0.95) - 1e-9


def test_the_anytime_bound_reaches_the_limit_when_the_review_may_stop() -> None:
    """Both say the same."""
    for k, n in enumerate((235, 357, 461, 557)):
        assert anytime_upper_bound(k, n, 0.95) <= 0.02 < anytime_upper_bound(k, n - 1, 0.95)
