"""Agreement between reviewers: by hand, by simulation, and against the reference implementation of alpha."""

import math
import warnings

import krippendorff
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.review.reliability import Table, krippendorff_alpha, table_of

WARNING_CASE = Table(both_reject=3, first_only=4, second_only=3, both_accept=190)
"""Where raw agreement flatters and kappa alone misleads."""


def test_the_warning_case() -> None:
    """Agreement .965 and kappa .44 about the same 200 records."""
    low, high = WARNING_CASE.kappa_interval()

    assert WARNING_CASE.total == 200
    assert WARNING_CASE.observed == pytest.approx(0.965)
    assert round(WARNING_CASE.kappa, 2) == 0.44
    assert (round(low, 2), round(high, 2)) == (0.04, 0.85)
    assert WARNING_CASE.on_rejects == pytest.approx(6 / 13)


def test_alpha_of_the_warning_case() -> None:
    """As published."""
    units = [("r", "r")] * 3 + [("r", "a")] * 4 + [("a", "r")] * 3 + [("a", "a")] * 190

    assert round(krippendorff_alpha(units), 3) == 0.445


def test_a_table_counts_pairs() -> None:
    """(first rejects, second rejects)."""
    assert table_of([(True, True), (True, False), (True, False), (False, True), (False, False)]) == Table(
        both_reject=1, first_only=2, second_only=1, both_accept=1
    )


def test_where_chance_agrees_on_all_kappa_is_not_a_number() -> None:
    """Nobody rejected anything, or nobody looked."""
    for table in (Table(both_accept=60), Table()):
        assert math.isnan(table.kappa)
        assert math.isnan(table.kappa_interval()[0])
        assert math.isnan(table.on_rejects)


@given(st.integers(1, 40), st.integers(0, 40), st.integers(0, 40), st.integers(1, 40))
def test_the_order_of_reviewers_does_not_matter(a: int, b: int, c: int, d: int) -> None:
    """Kappa is symmetric, at most 1, and 1 only where all agree."""
    one = Table(both_reject=a, first_only=b, second_only=c, both_accept=d)
    other = Table(both_reject=a, first_only=c, second_only=b, both_accept=d)

    assert one.kappa == pytest.approx(other.kappa)
    assert one.kappa <= 1
    assert (one.kappa == pytest.approx(1)) == (b == c == 0)


said = st.lists(
    st.lists(st.sampled_from(["accept", "reject", "edit", None]), min_size=3, max_size=3), min_size=2, max_size=30
)


@given(said)
def test_alpha_is_the_reference_implementations(units: list[list[str | None]]) -> None:
    """With three reviewers and gaps."""
    values = {word for unit in units if sum(one is not None for one in unit) > 1 for word in unit if word is not None}
    if len(values) < 2:
        assert math.isnan(krippendorff_alpha(units))
        return
    coded = {"accept": 0.0, "reject": 1.0, "edit": 2.0, None: math.nan}
    table = [[coded[unit[reviewer]] for unit in units] for reviewer in range(3)]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = krippendorff.alpha(reliability_data=table, level_of_measurement="nominal")

    assert krippendorff_alpha(units) == pytest.approx(expected)
