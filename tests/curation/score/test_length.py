"""How far a score is length: scipy's coefficient, an interval that holds it, and when it is said."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from curation.score.agreement import interval
from curation.score.columns import columns_of
from curation.score.file import Line, Score
from curation.score.length import said_of_length, with_length
from curation.score.ranks import FEWEST, chance_of, interval_of, spearman

pairs = st.lists(st.tuples(st.integers(-5, 5), st.integers(0, 9)), min_size=FEWEST, max_size=40)


@given(pairs)
def test_the_coefficient_is_scipys_and_lies_in_its_interval(rows: list[tuple[int, int]]) -> None:
    """With ties, too; where one of the two says the same of all there is none."""
    a, b = (np.array(side, np.float64) for side in zip(*rows, strict=True))

    found = with_length(a, b)

    if len(set(a)) == 1 or len(set(b)) == 1:
        assert found is None
    else:
        assert found is not None
        assert found.spearman == pytest.approx(stats.spearmanr(a, b).statistic, abs=1e-3)
        assert -1 <= found.low <= found.spearman <= found.high <= 1


def test_too_few_records_have_no_coefficient() -> None:
    """It is unknown, not nought."""
    few = np.arange(FEWEST - 1.0)

    assert with_length(few, few) is None


def test_the_closed_interval_is_nearly_that_of_the_bootstrap() -> None:
    """Of a relation of middling strength in three hundred records."""
    chance = np.random.default_rng(1)
    a = chance.normal(size=300)
    b = a + chance.normal(size=300)

    low, high = interval_of(spearman(a, b), 300)

    assert (low, high) == pytest.approx(interval(a, b, 1), abs=0.03)


@pytest.mark.parametrize(
    ("low", "rho", "high", "said"),
    [
        (0.9, 0.95, 0.97, "is mostly length: 90% of its ranking is that, the longer the higher"),
        (-0.97, -0.95, -0.9, "is mostly length: 90% of its ranking is that, the shorter the higher"),
        (0.6, 0.8, 0.9, "prefers longer responses: 64% of its ranking is length"),
        (0.05, 0.2, 0.35, ""),
        (-0.1, 0.1, 0.3, ""),
    ],
)
def test_what_is_said_of_length(low: float, rho: float, high: float, said: str) -> None:
    """By the end of the interval that is nearest to nought, so that luck is not called a finding."""
    assert said_of_length(rho, low, high, chance_of(400)) == said


def test_of_a_million_records_next_to_nothing_is_not_called_a_preference() -> None:
    """However sure it is."""
    low, high = interval_of(0.02, 1_000_000)

    assert low > chance_of(1_000_000)
    assert said_of_length(0.02, low, high, chance_of(1_000_000)) == ""


def test_of_several_lines_for_a_score_the_last_one_counts() -> None:
    """A number after a null is no null any more; records that nobody asked about are passed over."""
    lines = [
        Line("a", "ifd", Score(reason="broken")),
        Line("b", "ifd", Score(value=1.0)),
        Line("a", "ifd", Score(value=2.0)),
        Line("b", "ifd", Score(reason="too_long")),
        Line("z", "other", Score(value=3.0)),
    ]

    found = columns_of(["a", "b"], lines)

    assert set(found) == {"ifd"}
    assert found["ifd"].values[0] == 2
    assert found["ifd"].missing == {"too_long": 1}
