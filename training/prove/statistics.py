"""What a few seeds and some hundred prompts allow to be said about a difference between arms.

Losses stand in a table of seeds by prompts. Both are samples: another seed would give another model, another test set
other prompts. The two are crossed, so the variance of a mean difference is at most A + B, where A is what the seeds'
means vary by and B what the prompts' means vary by, both as variances of the overall mean.

A bootstrap over three seeds is far too narrow: it knows three values, and no draw of them is wider than their range.
The seeds' part therefore takes Student's t on seeds - 1 degrees of freedom, the prompts' part a bootstrap of prompts,
and the squared margins add up:

    margin² = t(seeds - 1)² · A + t(prompts - 1)² · B

Banerjee (Sankhyā 22, 1960, and 23, 1961) proved that such an interval covers at least what it claims, whatever A and B
are, where both estimates are independent, as they are in a crossed table of normal values. What it assumes: seeds'
means near normal. `benchmarks/prove_verdict.py` shows what it does on tables that are not.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[np.float64]

LEVEL = 0.95
"""Coverage of every interval that is shown."""
DRAWS = 10_000
"""Resamples of the prompts."""
POWER = 0.8
"""How surely a comparison finds its smallest effect."""
BISECTIONS = 60
GRID = 4000
"""Points of the numerical integral over what the seeds' variance may be estimated as."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A difference in nats per response token, and what it may be."""

    mean: float
    by_seed: tuple[float, ...]
    seed_variance: float
    """A: of the mean, from the spread of the seeds."""
    prompt_variance: float
    """B: of the mean, from the bootstrap of the prompts."""
    prompts: int

    def margin(self, level: float = LEVEL) -> float:
        """Return half of the interval that covers at least `level`."""
        seeds = two_sided_t(len(self.by_seed) - 1, level) ** 2 * self.seed_variance
        return math.sqrt(seeds + two_sided_t(self.prompts - 1, level) ** 2 * self.prompt_variance)

    def interval(self, level: float = LEVEL) -> tuple[float, float]:
        """Return the lowest and the highest difference that the data leave open."""
        margin = self.margin(level)
        return self.mean - margin, self.mean + margin

    @property
    def p_value(self) -> float:
        """The smallest 1 - level at which the interval leaves 0 out."""
        if self.margin() == 0:
            return float(self.mean == 0)
        return 1 - _bisect(lambda level: self.margin(level) > abs(self.mean), 0.0, 1 - 1e-12)


def estimate(difference: Numbers, tokens: Numbers, *, draws: int = DRAWS, seed: int = 0) -> Estimate:
    """Estimate the mean of a difference per response token.

    Args:
        difference: nats, [seeds, prompts]: one arm minus another, of the same seed and prompt.
        tokens: response tokens, [prompts].
        draws: resamples of the prompts.
        seed: of the resamples.
    """
    by_seed = difference.sum(1) / tokens.sum()
    counts = resamples(len(tokens), draws, seed)
    resampled = (counts @ difference.mean(0)) / (counts @ tokens)
    return Estimate(
        mean=float(by_seed.mean()),
        by_seed=tuple(map(float, by_seed)),
        seed_variance=float(by_seed.var(ddof=1)) / len(by_seed),
        prompt_variance=float(resampled.var(ddof=1)),
        prompts=len(tokens),
    )


@lru_cache(maxsize=2)
def resamples(prompts: int, draws: int, seed: int) -> NDArray[np.float32]:
    """Return how often each draw takes each prompt, [draws, prompts]; equal for equal arguments."""
    random = np.random.Generator(np.random.Philox(key=seed))
    return random.multinomial(prompts, [1 / prompts] * prompts, size=draws).astype(np.float32)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Return Holm's adjusted p-values: as many comparisons, together, err no more often than one."""
    adjusted, highest = {}, 0.0
    for rank, name in enumerate(sorted(p_values, key=lambda one: p_values[one])):
        highest = max(highest, min(1.0, p_values[name] * (len(p_values) - rank)))
        adjusted[name] = highest
    return {name: adjusted[name] for name in p_values}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How much a difference varies, in nats per response token."""

    seed_sd: float
    """Of the difference between two arms from seed to seed."""
    prompt_sd: float
    """Of the difference from prompt to prompt, the seeds' mean taken, each prompt counted by its tokens."""
    source: str = ""
    """Where the numbers come from."""

    def components(self, seeds: int, prompts: int) -> tuple[float, float]:
        """Return A and B, the variances of the mean."""
        return self.seed_sd**2 / seeds, self.prompt_sd**2 / prompts


def power(effect: float, spread: Spread, *, seeds: int, prompts: int, level: float = LEVEL) -> float:
    """Return how often the interval leaves 0 out on the side of a true effect of this size."""
    a, b = spread.components(seeds, prompts)
    if a + b == 0:
        return float(effect > 0)
    ratio, weight = _variance_ratios(seeds - 1)
    margin = np.sqrt(two_sided_t(seeds - 1, level) ** 2 * a * ratio + two_sided_t(prompts - 1, level) ** 2 * b)
    reached = [_normal((effect - one) / math.sqrt(a + b)) for one in margin]
    return float(np.dot(reached, weight))


def smallest_effect(spread: Spread, *, seeds: int, prompts: int, level: float = LEVEL) -> float:
    """Return the effect that is found with a probability of `POWER`, in nats per response token."""
    a, b = spread.components(seeds, prompts)
    widest = 20 * two_sided_t(seeds - 1, level) * math.sqrt(a + b)
    return _bisect(lambda effect: power(effect, spread, seeds=seeds, prompts=prompts, level=level) > POWER, 0.0, widest)


def spread_of(difference: Numbers, tokens: Numbers, source: str = "") -> Spread:
    """Return how much a difference varies that was seen, [seeds, prompts]."""
    seen = estimate(difference, tokens)
    seeds, prompts = difference.shape
    return Spread(
        seed_sd=math.sqrt(seen.seed_variance * seeds),
        prompt_sd=math.sqrt(seen.prompt_variance * prompts),
        source=source,
    )


@lru_cache
def two_sided_t(degrees: int, level: float) -> float:
    """Return the t within which `level` of Student's distribution lies, half on either side of 0."""
    return math.sqrt(degrees) * math.tan(_bisect(lambda angle: _within(angle, degrees) > level, 0.0, math.pi / 2))


def _within(angle: float, degrees: int) -> float:
    """Return the share of Student's t that is under tan(angle)·√degrees in size (Abramowitz and Stegun 26.7.3, 4)."""
    cosine, odd = math.cos(angle), degrees % 2
    term = cosine if odd else 1.0
    total = term if degrees > 1 else 0.0
    for number in range(3 if odd else 2, degrees - 1, 2):
        term *= (number - 1) / number * cosine**2
        total += term
    return 2 / math.pi * (angle + math.sin(angle) * total) if odd else math.sin(angle) * total


def _variance_ratios(degrees: int) -> tuple[Numbers, Numbers]:
    """Return what an estimate of a variance may be, as shares of the true one, and how likely each is."""
    ratio = np.exp(np.linspace(math.log(1e-8), math.log(60), GRID))
    density = ratio ** (degrees / 2) * np.exp(-degrees * ratio / 2)  # times the ratio: the grid is logarithmic
    return ratio, density / density.sum()


def _normal(value: float) -> float:
    return (1 + math.erf(value / math.sqrt(2))) / 2


def _bisect(above: Callable[[float], bool], low: float, high: float) -> float:
    """Return where a condition that turns true once does so."""
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (low, middle) if above(middle) else (middle, high)
    return (low + high) / 2
