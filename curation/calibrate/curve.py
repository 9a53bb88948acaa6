"""How precise each threshold is, from labelled pairs that stand for more or fewer pairs of the data."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Z = 1.959964
"""Standard deviations of a two-sided 95 % interval."""

STEP = 0.01
"""Between two thresholds of a curve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A weighted share with its 95 % bounds."""

    of: float
    low: float
    high: float
    pairs: int
    """Labelled pairs that it was taken of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A labelled pair, and what dedupe makes of it."""

    cosine: float
    weight: float
    """Pairs of the data that it stands for."""
    same: bool
    """What people say: a training set needs only one of the two."""
    agrees: bool
    """What the verifier says, once the cosine is high enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What one threshold comes to."""

    threshold: float
    precision: Share
    recall: float
    """Right rejections among all pairs of the data, from the lowest bin on, that are the same."""


def share(pairs: Iterable[tuple[float, bool]]) -> Share:
    """Return the weighted share of those that are true, with Wilson's bounds (JASA 22, 1927).

    The bounds are those of as many equal pairs as the weights are worth (Kish, Survey Sampling, 11.7). Of no pairs
    nothing is known: the bounds are 0 and 1.
    """
    pairs = list(pairs)
    total = sum(weight for weight, _ in pairs)
    if not total:
        return Share(of=math.nan, low=0.0, high=1.0, pairs=0)
    p = sum(weight for weight, true in pairs if true) / total
    n = total**2 / sum(weight**2 for weight, _ in pairs)
    middle = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * math.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
    return Share(of=p, low=max(0.0, middle - half), high=min(1.0, middle + half), pairs=len(pairs))


def curve(judged: Sequence[Judged]) -> list[Point]:
    """Return a point for each threshold from the lowest cosine that was labelled, upwards."""
    lowest = math.ceil(min(one.cosine for one in judged) / STEP)
    return [point(judged, step * STEP) for step in range(lowest, round(1 / STEP))]


def point(judged: Sequence[Judged], threshold: float) -> Point:
    """Return what one threshold comes to."""
    gone = [one for one in judged if one.agrees and one.cosine >= threshold]
    same = sum(one.weight for one in judged if one.same)
    right = sum(one.weight for one in gone if one.same)
    precision = share((one.weight, one.same) for one in gone)
    return Point(threshold=round(threshold, 2), precision=precision, recall=right / same if same else math.nan)


def lowest_for(points: Sequence[Point], target: float) -> Point | None:
    """Return the lowest threshold from which on every one is at least this precise; None where there is none."""
    found = None
    for one in reversed([point for point in points if point.precision.pairs]):
        if one.precision.of < target:
            break
        found = one
    return found
