"""How far scorers agree: with each other, with the length of the response, and with chance.

Rank correlations, because scorers have scales of their own; intervals by bootstrap over records (percentiles of 1,000
draws, seeded). Two scorers that chose their top records at random would share a part k of them: that is what the
overlap stands beside.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from curation.score.file import FILE, Line, read_scores
from schemas.chain import walk
from schemas.errors import InputError
from schemas.step import StepDirectory

LENGTH = "response_words"
"""The baseline; counted anew, so that it is there for every data set."""
DRAWS = 1000
"""Samples of the bootstrap."""
FEWEST = 10
"""Records that two scorers must both have scored for a correlation to be said."""
MOSTLY = 0.5
"""Share of a scorer's rank variance that length explains from which it is said to be mostly length."""
DIGITS = 4

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One scorer's scores."""

    name: str
    values: Numbers
    """One a record; not a number where there is none."""
    missing: Mapping[str, int]
    """Reason → records without a score for it."""


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
    columns = _columns([record.id for record in records], lines)
    length = np.array([len(record.response.split()) for record in records], np.float64)
    columns[LENGTH] = Column(name=LENGTH, values=length, missing={})
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
    chance = 1.959964 / math.sqrt(n - 1) if n > 1 else 1.0
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
        chance=round(min(1.0, chance), DIGITS),
        overlap=round(overlap(a, b, tops), DIGITS) if n >= FEWEST else None,
        overlap_by_chance=round(tops / n, DIGITS) if n else 0.0,
    )


def spearman(a: Numbers, b: Numbers) -> float:
    """Return the correlation of ranks, equal values sharing the mean rank; not a number where all are equal."""
    return _pearson(_ranks(a), _ranks(b))


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


def _ranks(values: Numbers) -> Numbers:
    from scipy.stats import rankdata  # noqa: PLC0415  # takes a second to import

    ranks: Numbers = rankdata(values)
    return ranks


def _pearson(a: Numbers, b: Numbers) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / size if size else math.nan


def _columns(ids: Sequence[str], lines: Iterable[Line]) -> dict[str, Column]:
    """Return the scores by name; of several lines for one score the last one counts."""
    place = {one: at for at, one in enumerate(ids)}
    values: dict[str, Numbers] = {}
    why: dict[str, dict[int, str]] = {}
    for line in lines:
        if (at := place.get(line.id)) is None:
            continue
        column = values.setdefault(line.name, np.full(len(ids), math.nan))
        column[at] = math.nan if line.score.value is None else line.score.value
        why.setdefault(line.name, {})[at] = line.score.reason
    return {name: Column(name=name, values=column, missing=_counted(why[name])) for name, column in values.items()}


def _counted(why: Mapping[int, str]) -> dict[str, int]:
    reasons = [reason for reason in why.values() if reason]
    return {reason: reasons.count(reason) for reason in sorted(set(reasons))}


def _said(pair: Compared) -> str:
    name = pair.other if pair.one == LENGTH else pair.one
    if pair.spearman is None or pair.low is None or pair.high is None:
        return ""
    nearest = min(abs(pair.low), abs(pair.high)) if pair.low * pair.high > 0 else 0.0
    share, way = pair.spearman**2, "longer" if pair.spearman > 0 else "shorter"
    if nearest**2 >= MOSTLY:
        return f"{name} is mostly length: {share:.0%} of its ranking is that, the {way} the higher"
    if nearest > pair.chance:
        return f"{name} prefers {way} responses: {share:.0%} of its ranking is length"
    return ""


def _known(value: float) -> float | None:
    return None if math.isnan(value) else round(value, DIGITS)
