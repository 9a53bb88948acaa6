"""A bandit over strategies: who brings in more new records for the money is asked more often in the next round.

Thompson sampling (Thompson 1933) of a ratio, as in Xia et al. 2015, "Thompson Sampling for Budgeted Multi-armed
Bandits" (https://arxiv.org/abs/1505.00146): each strategy's rate of kept records per cost is drawn from what is
believed of it, and the best draw wins. Different here: records come in at a rate that is gamma distributed a
posteriori, with a prior worth one record at the rate of all strategies together, so that the unit of cost does not
matter; earlier rounds fade (Raj and Kalyani 2017, https://arxiv.org/abs/1707.09727), because a full pool is another
machine than an empty one; a round's requests are decided together, so a strategy gets the share of draws that it wins;
none gets less than a floor.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from statistics import NormalDist

from curation.generate.draw import uniform
from curation.generate.yields import Yield

DRAWS = 200
"""Draws for a round."""
FLOOR = 0.1
"""Share that every strategy keeps; half an equal share where there are more than five."""
STRIDE, WHOLE = 0x9E3779B1, 1 << 32
"""The golden ratio of 2³²: its multiples fall evenly between 0 and 1, whatever the shares are meanwhile."""


def shares_of(names: Sequence[str], seen: Mapping[str, Yield], *place: int | str) -> dict[str, float]:
    """Return each strategy's share (0 to 1) of a round's requests; `place` decides the draws."""
    found = {name: seen.get(name, Yield()) for name in names}
    cost, kept = sum(one.cost for one in found.values()), sum(one.kept for one in found.values())
    worth = cost / (kept + 1)  # what a record cost, of whichever strategy

    def drawn(name: str, number: int) -> float:
        return gamma(1 + found[name].kept, *place, number, name) / (worth + found[name].cost)

    wins = (
        Counter(max(names, key=lambda name: drawn(name, number)) for number in range(DRAWS)) if cost else Counter(names)
    )
    floor = min(FLOOR, 1 / (2 * len(names)))
    rest = 1 - floor * len(names)
    return {name: floor + rest * wins[name] / wins.total() for name in names}


def in_turn(shares: Mapping[str, float], first: int, count: int) -> Iterator[str]:
    """Yield whose turn it is at the turns from `first` on: as evenly spread as shares that change allow."""
    *_, last = shares
    for turn in range(first, first + count):
        at = (turn * STRIDE % WHOLE) / WHOLE
        reached = zip(shares, accumulate(shares.values()), strict=True)
        yield next((name for name, upto in reached if at < upto), last)


def gamma(shape: float, *place: int | str) -> float:
    """Draw from a gamma distribution (shape 1 or more, scale 1), decided by `place` alone.

    Marsaglia and Tsang 2000, "A simple method for generating gamma variables".
    """
    d = shape - 1 / 3
    c, number = 1 / math.sqrt(9 * d), 0
    while True:
        x = NormalDist().inv_cdf(uniform(*place, number, "x"))
        v = (1 + c * x) ** 3
        if v > 0 and math.log(uniform(*place, number, "u")) < x * x / 2 + d - d * v + d * math.log(v):
            return d * v
        number += 1
