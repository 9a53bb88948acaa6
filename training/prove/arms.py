"""What the arms of a comparison are trained on: raw, curated, and the controls that a curation has to beat.

A control has as many records as the curated set and is drawn from raw: at random, at random with curated's lengths, or
the longest. Without them, "curated is better" may mean "fewer is better" or "longer is better" (arXiv 2410.09335,
2402.06094).
"""

import random
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple, TypeAlias

from training.records.encoding import Example

Arm: TypeAlias = Callable[[int], Sequence[Example]]
"""Seed → what the arm is trained on with that seed."""

RAW, CURATED = "raw", "curated"
BORDERS = tuple(round(2 ** (step / 2)) for step in range(2, 28))
"""Borders of the length histogram, in response tokens: each bin is 1.4 times as wide as the one before."""


class Pools(NamedTuple):
    """The two sets that a comparison is about."""

    raw: Sequence[Example]
    curated: Sequence[Example]


def fixed(examples: Sequence[Example]) -> Arm:
    """Return the arm that is trained on the same records with every seed; their order is the seed's."""
    return lambda _: examples


def draw_random(pool: Sequence[Example], count: int, seed: int) -> list[Example]:
    """Return `count` records by the seed alone, in the pool's order."""
    return _places(pool, sorted(_draw("random", seed).sample(range(len(pool)), min(count, len(pool)))))


def draw_matched(pools: Pools, seed: int) -> list[Example]:
    """Return as many records of raw as curated has, of its lengths; where a length runs out, of the nearest."""
    wanted = Counter(_bin(one) for one in pools.curated)
    left: dict[int, list[int]] = defaultdict(list)
    for place, example in enumerate(pools.raw):
        left[_bin(example)].append(place)
    draw = _draw("length-matched", seed)
    for places in left.values():
        draw.shuffle(places)
    taken = [left[size].pop() for size in sorted(wanted) for _ in range(min(wanted[size], len(left[size])))]
    short = sorted((wanted - Counter(_bin(pools.raw[place]) for place in taken)).elements())
    taken += [_nearest(left, size) for size in short if any(left.values())]
    return _places(pools.raw, sorted(taken))


def draw_longest(pools: Pools, _: int) -> list[Example]:
    """Return as many records of raw as curated has, those with the longest responses; ties by id."""
    places = sorted(range(len(pools.raw)), key=lambda at: (-pools.raw[at].supervised, pools.raw[at].id))
    return _places(pools.raw, sorted(places[: len(pools.curated)]))


CONTROLS: Mapping[str, Callable[[Pools, int], Sequence[Example]]] = {
    "random": lambda pools, seed: draw_random(pools.raw, len(pools.curated), seed),
    "length-matched": draw_matched,
    "longest": draw_longest,
}
"""What curated is compared with besides raw."""


def usual_arms(pools: Pools, controls: Sequence[str]) -> dict[str, Arm]:
    """Return raw, curated and the controls."""
    chosen = {name: partial(CONTROLS[name], pools) for name in controls}
    return {RAW: fixed(pools.raw), CURATED: fixed(pools.curated), **chosen}


def _bin(example: Example) -> int:
    return bisect_right(BORDERS, example.supervised)


def _nearest(left: Mapping[int, list[int]], size: int) -> int:
    return left[min((one for one in left if left[one]), key=lambda one: (abs(one - size), one))].pop()


def _places(pool: Sequence[Example], places: Sequence[int]) -> list[Example]:
    return [pool[place] for place in places]


def _draw(what: str, seed: int) -> random.Random:
    return random.Random(f"{what}/{seed}")  # noqa: S311  # not a secret
