"""How far scorers agree: with each other, with the length of the response, and with chance.

Rank correlations, because scorers have scales of their own; intervals by bootstrap over records (percentiles of 1,000
draws, seeded). Two scorers that chose their top records at random would share a part k of them: that is what the
overlap stands beside.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from curation.score.columns import Column, Numbers, columns_of
from curation.score.file import FILE, read_scores
from curation.score.length import LENGTH, said_of_length
from curation.score.ranks import FEWEST, chance_of, spearman
from schemas.chain import walk
from schemas.errors import InputError
from schemas.step import StepDirectory

DRAWS = 1000
"""Samples of the bootstrap."""
DIGITS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Two scorers on the records that both have scored."""

    one: str
    other: str
    records: int
    spearman: float | None
    """None: fewer than FEWEST records, or one of the two says the same of all."""
    low: float | None
    high: float | None
    """Bootstrap interval of Spearman's coefficient, 95 %."""
    kendall: float | None
    chance: float
    """How large Spearman's coefficient of two unrelated scorers is in 95 of 100 data sets of this size, at most."""
    overlap: float | None
    """Share of the top records of the one that are top records of the other."""
    overlap_by_chance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What scorers have to do with each other."""

    records: int
    top: float
    """Share (0 to 1) of the records that count as the top."""
    missing: Mapping[str, Mapping[str, int]]
    pairs: tuple[Compared, ...]

    def with_length(self) -> tuple[Compared, ...]:
        """Return each scorer beside the length of the response."""
        return tuple(pair for pair in self.pairs if LENGTH in (pair.one, pair.other))

    def said(self) -> list[str]:
        """Return what there is to say in words: which scorers are mostly length, and which are chance."""
        return [line for pair in self.with_length() if (line := _said(pair))]


def agreement_of(step: StepDirectory, *, names: Sequence[str] = (), top: float = 0.1, seed: int = 1) -> Agreement:
    """Compare the scores of a step, and of the steps that led to it.

    Raises:
        InputError: there are no scores, or none of a name.
    """
    files = [path for one in walk(step).steps for path in one.paths(FILE)]
    lines = [line for path in files for line in read_scores(path)]
    records = list({record.id: record for record in step.records()}.values())
    columns = columns_of([record.id for record in records], lines)
    length = np.array([len(record.response.split()) for record in records], np.float64)
    columns[LENGTH] = Column(name=LENGTH, values=length, why={})
    if len(columns) == 1:
        raise InputError(place=step.path, expected=f"a step with {FILE}: dolly-data score makes one", found="no scores")
    if unknown := [name for name in names if name not in columns]:
        raise InputError(place=step.path, field="name", expected=f"some of {', '.join(columns)}", found=unknown[0])
    chosen = [columns[name] for name in dict.fromkeys([*(names or columns), LENGTH])]
    pairs = tuple(compare(one, other, top=top, seed=seed) for one, other in combinations(chosen, 2))
    missing = {column.name: column.missing for column in chosen if column.missing}
    return Agreement(records=len(records), top=top, missing=missing, pairs=pairs)


def compare(one: Column, other: Column, *, top: float, seed: int = 1) -> Compared:
    """Compare two scorers on the records that both have scored."""
    from scipy.stats import kendalltau  # noqa: PLC0415  # takes a second to import

    both = ~(np.isnan(one.values) | np.isnan(other.values))
    a, b = one.values[both], other.values[both]
    n, tops = len(a), max(1, round(top * len(a)))
    whole = spearman(a, b) if n >= FEWEST else math.nan
    low, high = interval(a, b, seed) if not math.isnan(whole) else (math.nan, math.nan)
    kendall = float(kendalltau(a, b).statistic) if not math.isnan(whole) else math.nan
    return Compared(
        one=one.name,
        other=other.name,
        records=n,
        spearman=_known(whole),
        low=_known(low),
        high=_known(high),
        kendall=_known(kendall),
        chance=round(chance_of(n), DIGITS),
        overlap=round(overlap(a, b, tops), DIGITS) if n >= FEWEST else None,
        overlap_by_chance=round(tops / n, DIGITS) if n else 0.0,
    )


def interval(a: Numbers, b: Numbers, seed: int) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of Spearman's coefficient."""
    chance = np.random.default_rng(seed)
    picks = (chance.integers(0, len(a), len(a)) for _ in range(DRAWS))
    drawn = [spearman(a[pick], b[pick]) for pick in picks]
    known = [one for one in drawn if not math.isnan(one)]
    return (float(np.percentile(known, 2.5)), float(np.percentile(known, 97.5))) if known else (math.nan, math.nan)


def overlap(a: Numbers, b: Numbers, tops: int) -> float:
    """Return the share of top records in common, expected over all ways of breaking ties at the border."""
    return float(np.dot(_chance_of_top(a, tops), _chance_of_top(b, tops))) / tops


def _chance_of_top(values: Numbers, tops: int) -> Numbers:
    """Return how likely each record is among the top: 1, 0, or a share for those that tie at the border."""
    border = np.sort(values)[-tops]
    above, at = values > border, values == border
    chances: Numbers = above + at * ((tops - above.sum()) / at.sum())
    return chances


def _said(pair: Compared) -> str:
    name = pair.other if pair.one == LENGTH else pair.one
    if pair.spearman is None or pair.low is None or pair.high is None:
        return ""
    words = said_of_length(pair.spearman, pair.low, pair.high, pair.chance)
    return f"{name} {words}" if words else ""


def _known(value: float) -> float | None:
    return None if math.isnan(value) else round(value, DIGITS)
