"""What few seeds allow to be said: intervals that hold what they claim, and a rule that does not cry gain."""

import importlib
import math
from types import ModuleType

import numpy as np
import pytest
from scipy import stats

from tests.support import ROOT
from training.prove.statistics import Spread, estimate, holm, power, smallest_effect, spread_of, two_sided_t
from training.prove.verdict import crossing, judge, recovered


@pytest.fixture
def simulation(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The benchmark that simulates whole comparisons."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("prove_verdict")


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 7, 30, 299])
@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_students_t_is_scipys(degrees: int, level: float) -> None:
    """For odd and even degrees of freedom, near the middle and far out."""
    assert two_sided_t(degrees, level) == pytest.approx(stats.t.ppf((1 + level) / 2, degrees), rel=1e-7)


@pytest.mark.parametrize("world", ["usual", "seeds vary much"])
def test_no_gain_is_seen_where_there_is_none(simulation: ModuleType, world: str) -> None:
    """In at most 5 % of 1,000 simulated comparisons; twice the smallest effect is found in at least 80 %."""
    (chosen,) = (one for one in simulation.WORLDS if one.name == world)
    seen = simulation.simulate(chosen, 1000)

    assert seen.none <= 0.05
    assert seen.twice >= 0.8
    assert seen.covered >= 0.94


def test_the_simulation_can_fail(simulation: ModuleType) -> None:
    """A bootstrap over three seeds cries gain too often in the same world."""
    world = simulation.World(name="seeds alone", seed_sd=0.02, prompt_sd=0.01, both_sd=0.01)

    assert simulation.simulate(world, 500).naive > 0.05


def test_a_mean_is_per_token() -> None:
    """Long responses count by their tokens; the seeds' means are those of the whole table."""
    seen = estimate(np.array([[2.0, 8.0], [4.0, 6.0], [3.0, 7.0]]), np.array([1.0, 9.0]))

    assert seen.mean == pytest.approx(1.0)
    assert seen.by_seed == (1.0, 1.0, 1.0)
    assert seen.seed_variance == 0.0


def test_seeds_alone_make_students_interval() -> None:
    """Where all prompts agree, the interval is the textbook's of the seeds' means."""
    means = np.array([0.1, 0.2, 0.4])
    seen = estimate(np.repeat(means[:, None], 50, axis=1), np.ones(50))
    low, high = stats.t.interval(0.95, 2, means.mean(), stats.sem(means))

    assert seen.interval() == pytest.approx((low, high), rel=1e-6)


def test_a_p_value_is_where_the_interval_ends() -> None:
    """The interval of that level just reaches 0."""
    seen = estimate(np.random.default_rng(1).normal(0.1, 0.5, (3, 80)), np.ones(80))
    low, high = seen.interval(1 - seen.p_value)

    assert min(abs(low), abs(high)) == pytest.approx(0.0, abs=1e-6)


def test_the_same_table_gives_the_same_numbers() -> None:
    """The resamples are drawn by their seed alone."""
    table, tokens = np.random.default_rng(2).normal(size=(3, 40)), np.arange(1.0, 41.0)

    assert estimate(table, tokens) == estimate(table.copy(), tokens.copy())


def test_smallest_effect_is_found_with_the_stated_power() -> None:
    """More seeds and prompts see smaller effects."""
    spread = Spread(seed_sd=0.01, prompt_sd=0.1)
    smallest = smallest_effect(spread, seeds=3, prompts=200)

    assert power(smallest, spread, seeds=3, prompts=200) == pytest.approx(0.8, abs=1e-3)
    assert smallest_effect(spread, seeds=5, prompts=200) < smallest
    assert smallest_effect(spread, seeds=3, prompts=800) < smallest


def test_power_is_what_simulation_finds() -> None:
    """The integral over what the seeds' variance may be estimated as is right."""
    spread, random = Spread(seed_sd=0.02, prompt_sd=0.1), np.random.default_rng(3)
    smallest = smallest_effect(spread, seeds=3, prompts=100)
    tables = (
        0.02 * random.normal(size=(3, 1)) + 0.1 * random.normal(size=100) + np.zeros((3, 100)) - smallest
        for _ in range(600)
    )
    found = [judge(estimate(table, np.ones(100), draws=500), smallest) == "gain" for table in tables]

    assert np.mean(found) == pytest.approx(0.8, abs=0.07)


def test_a_spread_is_measured_back() -> None:
    """What was put into a table comes out of it."""
    random = np.random.default_rng(4)
    table = 0.02 * random.normal(size=(60, 1)) + 0.1 * random.normal(size=400)
    seen = spread_of(table, np.ones(400))

    assert seen.seed_sd == pytest.approx(0.02, rel=0.25)
    assert seen.prompt_sd == pytest.approx(0.1, rel=0.15)


def test_holm_multiplies_the_smallest_most() -> None:
    """And never orders two p-values the other way round."""
    assert holm({"a": 0.04, "b": 0.01, "c": 0.03}) == pytest.approx({"a": 0.06, "b": 0.03, "c": 0.06})


@pytest.mark.parametrize(
    ("mean", "verdict"), [(-0.1, "gain"), (0.1, "harm"), (0.0, "no detectable gain"), (-0.012, "underpowered")]
)
def test_the_rule_has_four_verdicts(mean: float, verdict: str) -> None:
    """By where the interval lies to 0 and to minus the smallest effect."""
    table = np.array([[mean - 0.01], [mean], [mean + 0.01]]) + np.zeros((3, 50))

    assert judge(estimate(table, np.ones(50)), 0.03) == verdict


def test_equal_arms_are_no_detectable_gain() -> None:
    """Not the smallest difference, and no variance."""
    assert judge(estimate(np.zeros((3, 30)), np.ones(30)), 0.01) == "no detectable gain"


def test_a_curve_crosses_between_its_marks() -> None:
    """On a straight line; or never."""
    assert crossing([0.0, 0.5, 1.0], [2.0, 1.0, -1.0]) == pytest.approx(0.75)
    assert crossing([0.0, 1.0], [2.0, 0.1]) is None
    assert crossing([0.25, 1.0], [0.0, 1.0]) == 0.25


def test_a_recovered_share_has_an_interval_that_holds_it() -> None:
    """Planted costs 1, curated wins four fifths of it back."""
    random, tokens = np.random.default_rng(5), np.ones(100)
    clean = random.normal(2, 0.1, (3, 100))
    planted, curated = clean + 1 + random.normal(0, 0.05, (3, 100)), clean + 0.2 + random.normal(0, 0.05, (3, 100))
    seen = recovered(30, clean, planted, curated, tokens)

    assert seen.share == pytest.approx(0.8, abs=0.02)
    assert seen.low is not None
    assert seen.high is not None
    assert seen.low <= 0.8 <= seen.high


def test_nothing_lost_has_no_recovered_share() -> None:
    """An interval without ends says that the loss itself is uncertain."""
    random = np.random.default_rng(6)
    clean, planted, curated = random.normal(2, 0.1, (3, 3, 50))
    seen = recovered(30, clean, planted, curated, np.ones(50))

    assert seen.low is None or seen.high is None
    assert math.isfinite(seen.share)
