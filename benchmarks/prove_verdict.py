"""Does `dolly-train prove` say "gain" where there is none, and does it see an effect it says it can see?

    python benchmarks/prove_verdict.py [--simulations 1000] [--quick]

Results are simulated with what real ones have: seeds that move a whole run, prompts on which an arm is better or worse
whatever the seed, noise of the two together, responses of very different lengths, heavy tails. Beside the product's
interval stands the bootstrap over seeds and prompts that a three-seed study would usually draw, on the same tables.
"""

import argparse
import math
from dataclasses import dataclass

import numpy as np
from common import finish

from training.prove.statistics import Estimate, Numbers, Spread, estimate, resamples, smallest_effect
from training.prove.verdict import judge

DRAWS = 2000
NAIVE_DRAWS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """How results vary, in nats per response token."""

    name: str
    seeds: int = 3
    prompts: int = 300
    seed_sd: float = 0.004
    """Of the difference between arms from seed to seed."""
    prompt_sd: float = 0.06
    """Of what a prompt prefers an arm by, whatever the seed; Student's t with 4 degrees of freedom."""
    both_sd: float = 0.04
    """Of what is left."""

    @property
    def spread(self) -> Spread:
        """Return what a pilot without error would find; longer responses weigh more, so the prompts count as fewer."""
        tokens = _tokens(np.random.default_rng(0), 100_000)
        weight = math.sqrt(float((tokens**2).mean() / tokens.mean() ** 2))
        own = math.hypot(self.prompt_sd, self.both_sd / math.sqrt(self.seeds))
        seed = math.hypot(self.seed_sd, weight * self.both_sd / math.sqrt(self.prompts))
        return Spread(seed_sd=seed, prompt_sd=weight * own)

    def draw(self, random: np.random.Generator, effect: float) -> tuple[Numbers, Numbers]:
        """Return (differences in nats [seeds, prompts], tokens [prompts]) where the true difference is -effect."""
        tokens = _tokens(random, self.prompts)
        seeds = self.seed_sd * random.normal(size=(self.seeds, 1))
        prompts = self.prompt_sd * random.standard_t(4, size=self.prompts) / math.sqrt(2)
        both = self.both_sd * random.normal(size=(self.seeds, self.prompts))
        return (seeds + prompts + both - effect) * tokens, tokens


WORLDS = (
    World(name="usual"),
    World(name="seeds vary much", seed_sd=0.02),
    World(name="seeds do not vary", seed_sd=0.0),
    World(name="few prompts", prompts=60),
    World(name="prompts prefer arms strongly", prompt_sd=0.2),
    World(name="five seeds", seeds=5),
)


def main() -> None:
    """Simulate every world without an effect and with twice the smallest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--quick", action="store_true", help="200 simulations")
    args = parser.parse_args()
    count = 200 if args.quick else args.simulations
    print(f"{count} simulations each; share of verdicts `gain`")
    print(f"{'':30} {'no effect':>10} {'twice smallest':>15} {'covered':>8} {'bootstrap, no effect':>21}")
    rows = [simulate(world, count) for world in WORLDS]
    for world, row in zip(WORLDS, rows, strict=True):
        print(f"{world.name:30} {row.none:>10.3f} {row.twice:>15.3f} {row.covered:>8.3f} {row.naive:>21.3f}")
    figures = {
        "false_gain_share": max(row.none for row in rows),
        "found_share": min(row.twice for row in rows),
        "covered_share": min(row.covered for row in rows),
        "bootstrap_false_gain_share": max(row.naive for row in rows),
    }
    finish("prove_verdict", figures, {"false_gain_share": ("<=", 0.05), "found_share": (">=", 0.8)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """Shares of simulations."""

    none: float
    """`gain` where there is no effect."""
    twice: float
    """`gain` where the effect is twice the smallest that the protocol would state."""
    covered: float
    """Intervals that hold the truth, where there is no effect."""
    naive: float
    """Bootstraps over seeds and prompts that end below 0, where there is no effect."""


def simulate(world: World, count: int, seed: int = 1) -> Simulated:
    """Return how often the rule says what in a world."""
    random = np.random.default_rng(seed)
    smallest = smallest_effect(world.spread, seeds=world.seeds, prompts=world.prompts)
    none, naive, twice = [], [], []
    for _ in range(count):
        table, tokens = world.draw(random, 0.0)
        none.append(estimate(table, tokens, draws=DRAWS))
        naive.append(bootstrap_ends_below(table, tokens, random))
        twice.append(estimate(*world.draw(random, 2 * smallest), draws=DRAWS))
    return Simulated(
        none=_share_of_gains(none, smallest),
        twice=_share_of_gains(twice, smallest),
        covered=sum(low <= 0 <= high for low, high in (one.interval() for one in none)) / count,
        naive=sum(naive) / count,
    )


def bootstrap_ends_below(table: Numbers, tokens: Numbers, random: np.random.Generator) -> bool:
    """Say whether the usual bootstrap's 97.5th percentile is below 0: seeds drawn, and prompts drawn within."""
    seeds = random.multinomial(len(table), [1 / len(table)] * len(table), size=NAIVE_DRAWS) / len(table)
    counts = resamples(len(tokens), NAIVE_DRAWS, 7)
    drawn = ((seeds @ table) * counts).sum(1) / (counts @ tokens)
    return bool(np.quantile(drawn, 0.975) < 0)


def _share_of_gains(estimates: list[Estimate], smallest: float) -> float:
    return sum(judge(one, smallest) == "gain" for one in estimates) / len(estimates)


def _tokens(random: np.random.Generator, count: int) -> Numbers:
    return np.maximum(3, random.lognormal(3.7, 0.8, count)).round()


if __name__ == "__main__":
    main()
