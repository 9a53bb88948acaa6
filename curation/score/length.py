"""How far a score is only the length of the response: what every score has to beat."""

import math
from dataclasses import dataclass

from curation.score.columns import Numbers
from curation.score.ranks import FEWEST, chance_of, interval_of, spearman

LENGTH = "response_words"
"""The baseline; counted anew, so that it is there for every data set."""
MOSTLY = 0.5
"""Share of a scorer's rank variance that length explains from which it is said to be mostly length."""
LITTLE = 0.01
"""Share below which nothing is said, however sure it is: of enough records every score has a little of length."""
DIGITS = 3
"""Decimals of a coefficient in a report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WithLength:
    """How a score ranks records beside how the words of their responses rank them."""

    spearman: float
    low: float
    high: float
    """Interval of Spearman's coefficient, 95 %."""
    chance: float
    """How large the coefficient of an unrelated score is in 95 of 100 data sets of this size, at most."""
    said: str
    """In words; empty where it may be chance, or is next to nothing."""


def with_length(values: Numbers, lengths: Numbers) -> WithLength | None:
    """Compare a score with length, one place a record; None for too few records, or where all are equal."""
    rho = spearman(values, lengths) if len(values) >= FEWEST else math.nan
    if math.isnan(rho):
        return None
    low, high = interval_of(rho, len(values))
    chance = chance_of(len(values))
    return WithLength(
        spearman=_rounded(rho),
        low=_rounded(low),
        high=_rounded(high),
        chance=_rounded(chance),
        said=said_of_length(rho, low, high, chance),
    )


def said_of_length(rho: float, low: float, high: float, chance: float) -> str:
    """Return what a coefficient says of a score, after its name; nothing where it may be chance, or is next to none."""
    nearest = min(abs(low), abs(high)) if low * high > 0 else 0.0
    share, way = rho**2, "longer" if rho > 0 else "shorter"
    if nearest**2 >= MOSTLY:
        return f"is mostly length: {share:.0%} of its ranking is that, the {way} the higher"
    prefers = nearest > chance and share >= LITTLE
    return f"prefers {way} responses: {share:.0%} of its ranking is length" if prefers else ""


def _rounded(value: float) -> float:
    return round(value, DIGITS) + 0.0  # nought has no sign
