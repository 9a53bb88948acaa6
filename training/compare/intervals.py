"""How sure a number is: Wilson's and Newcombe's intervals for shares, the bootstrap over prompts for everything else.

Prompts are what was drawn, so prompts are drawn again: of two models always the same ones, which is what makes a small
difference visible. The draws come from a counter keyed with a label (Philox), so that each interval has its own and no
interval depends on what was computed before it.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.interval import wilson

DRAWS = 10_000
"""Times that the prompts are drawn again."""
AT_ONCE = 1_000_000
"""Units drawn that are held in memory at a time."""
FEWEST = 10
"""Units below which no difference is called one: drawing few again and again makes them look surer than they are."""
TAILS = (2.5, 97.5)
"""Percentiles that hold 95 % between them."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number and the interval that holds the true one with 95 % confidence."""

    value: float
    low: float
    high: float
    units: int
    """Prompts (or records) that it rests on."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one prompt adds to a ratio: the sum of amounts over the sum of weights is the number."""

    amount: float
    weight: float = 1.0


def share(parts: Sequence[Part]) -> Estimate | None:
    """Return the share of the prompts with amount 1, with Wilson's interval; None without prompts."""
    if not parts:
        return None
    hits = sum(part.amount for part in parts)
    return Estimate(hits / len(parts), *wilson(hits, len(parts)), units=len(parts))


def ratio(parts: Sequence[Part], label: str) -> Estimate | None:
    """Return sum of amounts over sum of weights, with a bootstrap interval; None where there is no weight."""
    columns = _columns(parts)
    if columns[1].sum() == 0:
        return None
    drawn = draw(columns, label)
    low, high = np.nanpercentile(_divided(drawn[0], drawn[1]), TAILS)
    value = float(columns[0].sum() / columns[1].sum())
    return Estimate(value, float(low), float(high), units=len(parts))


def difference(first: Sequence[Part], second: Sequence[Part], label: str) -> Estimate | None:
    """Return the ratio of `second` less that of `first`, over the same prompts; None where either has no weight."""
    columns = np.concatenate([_columns(first), _columns(second)])
    one, one_weight, two, two_weight = columns.sum(axis=1)
    if not one_weight or not two_weight:
        return None
    drawn = draw(columns, label)
    low, high = np.nanpercentile(_divided(drawn[2], drawn[3]) - _divided(drawn[0], drawn[1]), TAILS)
    return Estimate(float(two / two_weight - one / one_weight), float(low), float(high), units=len(first))


def share_difference(first: Sequence[Part], second: Sequence[Part]) -> Estimate | None:
    """Return the share of `second` less that of `first`, over the same prompts; None without prompts.

    The interval joins both shares' own by Pythagoras, less what they have in common (Newcombe 1998, method 10). A
    bootstrap of 24 prompts that one model lost and the other won would claim that nothing but 100 points is possible.
    """
    if not first:
        return None
    of = len(first)
    one, two = (sum(part.amount for part in parts) for parts in (first, second))
    both = sum(a.amount * b.amount for a, b in zip(first, second, strict=True))
    common = _common(both, one, two, of)
    (low_one, high_one), (low_two, high_two) = wilson(one, of), wilson(two, of)
    down, up = (two / of - low_two, high_one - one / of), (high_two - two / of, one / of - low_one)
    low, high = (math.sqrt(a * a - 2 * common * a * b + b * b) for a, b in (down, up))
    value = (two - one) / of
    return Estimate(value, max(-1.0, value - low), min(1.0, value + high), units=of)


def draw(columns: Floats, label: str, draws: int = DRAWS) -> Floats:
    """Return the sum of each row of `columns` over units drawn with replacement: [rows, units] → [rows, draws]."""
    random, units = counter(label), columns.shape[1]
    at_once, parts = max(1, AT_ONCE // units), []
    for first in range(0, draws, at_once):
        places = random.integers(units, size=(min(at_once, draws - first), units))
        parts.append(columns[:, places].sum(axis=2))
    return np.concatenate(parts, axis=1)


def counter(label: str) -> np.random.Generator:
    """Return random numbers that depend on `label` alone, on every machine."""
    key = int.from_bytes(hashlib.sha256(label.encode()).digest()[:16], "big")
    return np.random.Generator(np.random.Philox(key=key))


def shows(found: Estimate) -> bool:
    """Say whether a difference is shown: whether there are units enough and its interval leaves out nought."""
    return found.units >= FEWEST and not found.low <= 0 <= found.high


def _columns(parts: Sequence[Part]) -> Floats:
    return np.array([[part.amount for part in parts], [part.weight for part in parts]], dtype=np.float64)


def _common(both: float, one: float, two: float, of: int) -> float:
    """Return phi, the correlation of two shares of the same units; a positive one is taken with care."""
    spread = one * (of - one) * two * (of - two)
    if not spread:
        return 0.0
    excess = both * (of - one - two + both) - (one - both) * (two - both)
    return (max(excess - of / 2, 0.0) if excess > 0 else excess) / math.sqrt(spread)


def _divided(amounts: Floats, weights: Floats) -> Floats:
    """Divide; a draw that has no weight at all becomes NaN, which the percentiles leave out."""
    none = np.full_like(amounts, np.nan)
    quotient: Floats = np.divide(amounts, weights, out=none, where=weights > 0)
    return quotient
