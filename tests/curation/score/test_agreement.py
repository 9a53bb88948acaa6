"""Agreement between scorers: scipy's own correlations, chance, and what is said of length."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from curation.score.agreement import Agreement, agreement_of, compare, overlap
from curation.score.columns import Column
from curation.score.file import SCORES
from curation.score.length import LENGTH
from curation.score.ranks import spearman
from schemas.errors import InputError
from schemas.outcome import SILENT, Aside, Outcome
from schemas.record import InstructionRecord
from schemas.step import StepDirectory, write_step
from tests.support import Given, pair, step_of


def column(values: Sequence[float], name: str = "one") -> Column:
    """Return a scorer's scores."""
    return Column(name=name, values=np.array(values, np.float64), why={})


def scored(
    path: Path, pool: Sequence[InstructionRecord], scores: Sequence[tuple[str, str, float | None]]
) -> StepDirectory:
    """Write a step whose stage left scores."""

    def outcomes(aside: Aside) -> Iterator[Outcome]:
        for one, name, value in scores:
            aside.leave(SCORES, {"id": one, "name": name, "value": value, **({} if value else {"reason": "broken"})})
        yield from pool

    return write_step(path, Given(rows=len(pool)), outcomes, aside=SILENT)[0]


numbers = st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=12, max_size=40)


@given(numbers)
def test_correlations_are_scipys(pairs: list[tuple[int, int]]) -> None:
    """With ties, too."""
    a, b = (np.array(side, np.float64) for side in zip(*pairs, strict=True))
    if len(set(a)) > 1 and len(set(b)) > 1:
        assert spearman(a, b) == pytest.approx(stats.spearmanr(a, b).statistic)


def test_the_interval_holds_the_coefficient_and_narrows_with_records() -> None:
    """Of a relation of known strength."""
    chance = np.random.default_rng(1)
    widths = []
    for n in (30, 600):
        a = chance.normal(size=n)
        found = compare(column(list(a)), column(list(a + chance.normal(size=n)), "other"), top=0.1)
        assert found.low is not None
        assert found.high is not None
        assert found.spearman is not None
        assert found.low < found.spearman < found.high
        widths.append(found.high - found.low)

    assert widths[1] < widths[0] / 2


def test_unrelated_scorers_stay_within_chance() -> None:
    """In about 95 of 100 data sets."""
    chance = np.random.default_rng(2)
    found = [spearman(chance.normal(size=50), chance.normal(size=50)) for _ in range(400)]
    limit = compare(column(range(50)), column(range(50), "other"), top=0.1).chance

    assert 0.91 < np.mean(np.abs(found) <= limit) < 0.98


def test_the_overlap_of_equal_scorers_is_whole_and_that_of_constant_ones_is_chance() -> None:
    """Ties at the border are broken in all ways at once."""
    a = np.arange(20, dtype=np.float64)

    assert overlap(a, a, 4) == 1
    assert overlap(a, -a, 4) == 0
    assert overlap(a, np.zeros(20), 4) == pytest.approx(4 / 20)


def test_few_records_or_equal_scores_give_no_coefficient() -> None:
    """It is unknown, not nought."""
    few = compare(column(range(9)), column(range(9), "other"), top=0.1)
    equal = compare(column([1] * 30), column(range(30), "other"), top=0.1)

    assert few.spearman is few.kendall is equal.spearman is equal.kendall is None


def pool(n: int = 40) -> list[InstructionRecord]:
    """Return records with responses of different lengths."""
    return [pair(f"Say {n} words.", "word " * n) for n in range(1, n + 1)]


def agreement(tmp_path: Path) -> Agreement:
    """Compare a scorer that is length, one that is not, and one that failed here and there."""
    some = pool()
    chance = np.random.default_rng(3).permutation(len(some))
    scores: list[tuple[str, str, float | None]] = []
    for at, one in enumerate(some):
        scores += [(one.id, "long", at**2 + 1.0), (one.id, "short", -at), (one.id, "free", float(chance[at]) + 1)]
        scores += [(one.id, "broken", None if at % 4 else 1.0 + at)]
    return agreement_of(scored(tmp_path / "step", some, scores))


def test_a_scorer_that_is_length_is_called_so(tmp_path: Path) -> None:
    """In words, whichever way it goes; one that is not is not."""
    said = "\n".join(agreement(tmp_path).said())

    assert "long is mostly length: 100% of its ranking is that, the longer the higher" in said
    assert "short is mostly length: 100% of its ranking is that, the shorter the higher" in said
    assert "free" not in said


def test_scores_that_are_missing_are_counted_and_left_out(tmp_path: Path) -> None:
    """By their reason; the others are compared."""
    found = agreement(tmp_path)

    assert found.missing == {"broken": {"broken": 30}}
    (beside,) = (one for one in found.with_length() if "broken" in (one.one, one.other))
    assert beside.records == 10


def test_a_step_without_scores_or_with_others_says_so(tmp_path: Path) -> None:
    """With what makes them, or their names."""
    with pytest.raises(InputError, match="dolly-data score"):
        agreement_of(step_of(tmp_path / "bare", pool()))
    step = scored(tmp_path / "step", pool(), [(one.id, "long", 1.0) for one in pool()])
    with pytest.raises(InputError, match=f"long, {LENGTH}"):
        agreement_of(step, names=["ifd"])
