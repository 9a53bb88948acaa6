"""Where the bins of a score's histogram begin and end: at round numbers that suit its spread.

Whole numbers of which there are few have a bin each; counts that run over magnitudes have the axis of lengths; all else
has equal bins over the middle 98 of 100 values, and an outer bin on each side for what lies beyond.
"""

import math
from collections.abc import Mapping

import numpy as np

from curation.report.counted import Histogram, Series
from curation.report.profile import ratio, widening
from curation.score.columns import Numbers

BINS = 20
"""Equal bins of a histogram, at most; round widths make it fewer."""
EACH = 24
"""Whole numbers in a row, at most, that have a bin each."""
MAGNITUDES = 8
"""How many times as large as the least the largest is where the axis is logarithmic."""
TAIL = 0.01
"""Share of the values beyond each end of the equal bins."""
ROUND = (1, 2, 5, 10)
"""What a bin's width begins with."""
DIGITS, FINEST = 12, 1e-9
"""Digits of an edge; and how small the span of the bins may be beside the largest number, so that edges differ."""
TINY, HUGE = 1e-300, 1e300
"""Nearer to nought, or farther from it, a product may be none."""
WHOLE, LONG = 2.0**53, 2.0**31
"""From the first on every number is whole, and no count of words comes near the second."""
SHORT = 1000
"""From here on a number is shown to its whole part."""


def score_histogram(name: str, groups: Mapping[str, Numbers], threshold: float | None) -> Histogram:
    """Return the histogram of a score; every group has a value."""
    values = np.concatenate(list(groups.values()))
    edges = edges_of(values)
    series = tuple(_series(group, some, edges) for group, some in groups.items())
    return Histogram(name=name, unit="score", edges=edges, series=series, threshold=threshold, whole=_is_whole(values))


def edges_of(values: Numbers) -> tuple[float, ...]:
    """Return the edges of bins that hold all of these values; there is at least one."""
    least, most = float(values.min()), float(values.max())
    if not _is_whole(values):
        return _equal(values, TINY)
    if most - least < EACH:
        return tuple(float(edge) for edge in range(int(least), int(most) + 2))
    if 0 <= MAGNITUDES * least <= most < LONG:
        edges = widening(int(most))
        return tuple(float(edge) for edge in edges if edge >= max(one for one in edges if one <= least))
    return _equal(values, 1.0)


def short(value: float) -> float:
    """Return a number with four digits, or with all that stand before its point."""
    return (float(round(value)) if abs(value) >= SHORT else float(f"{value:.4g}")) + 0.0  # nought has no sign


def _equal(values: Numbers, finest: float) -> tuple[float, ...]:
    """Return equal bins over the middle of the values, at multiples of their width, and outer ones where needed."""
    low, high = (float(one) for one in np.quantile(values, (TAIL, 1 - TAIL)))
    least, most = float(values.min()), float(values.max())
    span = (high - low) or (most - least) or abs(most)
    width = max(finest, _width(max(span, FINEST * max(abs(least), abs(most)), TINY)))
    lowest, first, last, highest = (math.floor(round(one / width, 9)) for one in (least, low, high, most))
    below, above = [lowest] * (lowest < first), [highest + 1] * (highest > last)
    return tuple(_edge(place * width) for place in (*below, *range(first, last + 2), *above))


def _width(span: float) -> float:
    """Return the least round width of which `BINS` cover the span."""
    power = 10.0 ** math.floor(math.log10(span / BINS))
    return next((step * power for step in ROUND if step * power * BINS >= span), ROUND[-1] * power)


def _edge(value: float) -> float:
    """Return a multiple of a width as one would write it: 0.3, not 0.30000000000000004."""
    return float(f"{value:.{DIGITS}g}") + 0.0  # nought has no sign


def _is_whole(values: Numbers) -> bool:
    return bool(np.all(values == np.floor(values)) and np.abs(values).max() < WHOLE)


def _series(name: str, values: Numbers, edges: tuple[float, ...]) -> Series:
    bins = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    counts = np.bincount(bins, minlength=len(edges) - 1).tolist()
    return Series(
        name=name,
        counts=tuple(counts),
        shares=tuple(ratio(count, len(values)) for count in counts),
        total=len(values),
        median=short(float(np.median(values))),
    )
