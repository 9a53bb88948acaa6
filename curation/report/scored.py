"""What the scores of a run look like: how they spread, what became of the records, and how far they are only length.

Up to `MOST` records of a step are all looked at; of more, a simple random sample. Which ones are drawn depends on the
seed, their ids and their places in the source alone: memory does not grow with the records, and their order decides
nothing.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from curation.report.bins import HUGE, score_histogram, short
from curation.report.counted import ScoreNumbers, Spread
from curation.report.profile import ratio, shares
from curation.review.sampling import Sample
from curation.score.columns import Column, Numbers, columns_of
from curation.score.file import FILE, LIMITS, MISSING, read_scores
from curation.score.length import LENGTH, with_length
from schemas.chain import Chain
from schemas.step import StepDirectory

MOST = 1 << 16
"""Records that are looked at; of as many a share is known to 0.4 of a hundred, 95 times of 100."""
QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
"""The fields of `Spread`, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    """Records that a step scored, each at its place."""

    step: StepDirectory
    ids: Sequence[str]
    """Different ids; records of equal content share one."""
    at: NDArray[np.intp]
    """Place → which of the ids the record has."""
    lengths: Numbers
    """Words of the responses."""
    kept: NDArray[np.bool_]
    """Whether the last step of the chain still has them."""


def score_numbers(chain: Chain, seed: int, most: int = MOST) -> tuple[ScoreNumbers, ...]:
    """Return the numbers of every score that a step of the chain left; of one left twice, the latest."""
    found: dict[str, ScoreNumbers] = {}
    for step in chain.steps:
        if paths := step.paths(FILE):
            looked = _looked(step, chain.last, seed, most)
            columns = columns_of(looked.ids, (line for path in paths for line in read_scores(path)))
            found |= {name: _numbers(column, looked, most) for name, column in columns.items()}
    return tuple(found.values())


def _looked(step: StepDirectory, last: StepDirectory, seed: int, most: int) -> _Looked:
    sample: Sample[tuple[str, int]] = Sample(most, seed)
    for record in step.records():
        key = f"{record.id}:{record.provenance.source}:{record.provenance.line}"
        sample.offer(key, (record.id, len(record.response.split())))
    names = [name for name, _ in sample]
    place = {name: at for at, name in enumerate(dict.fromkeys(names))}
    return _Looked(
        step=step,
        ids=list(place),
        at=np.array([place[name] for name in names], np.intp),
        lengths=np.array([words for _, words in sample], np.float64),
        kept=np.ones(len(names), np.bool_) if step is last else np.array(list(_fates(names, last)), np.bool_),
    )


def _fates(names: Sequence[str], last: StepDirectory) -> Iterator[bool]:
    """Yield of each record whether the last step has it, as it was or mended since; of equal ones as many as it has."""
    wanted = set(names)
    left = Counter(
        name for record in last.records() for name in (record.id, *record.provenance.previous) if name in wanted
    )
    for name in names:
        yield left[name] > 0
        left[name] -= 1


def _numbers(column: Column, looked: _Looked, most: int) -> ScoreNumbers:
    every, number = column.values[looked.at], len(looked.at)
    known = ~np.isnan(every)
    values = np.clip(every[known], -HUGE, HUGE)
    fates = {"kept": values[looked.kept[known]], "rejected": values[~looked.kept[known]]}
    groups = {name: some for name, some in fates.items() if len(some)}
    rows = looked.step.manifest.counts.kept
    return ScoreNumbers(
        name=column.name,
        step=looked.step.path.resolve().name,
        rows=rows,
        looked_at=number,
        having=len(values),
        sampled=number == most < rows,
        missing=shares(Counter(column.why.get(at, MISSING) for at in looked.at[~known].tolist()), number),
        missing_share=ratio(number - len(values), number),
        spread=_spread(values) if groups else None,
        histogram=score_histogram(column.name, groups, LIMITS.get(column.name)) if groups else None,
        length=None if column.name == LENGTH else with_length(values, looked.lengths[known]),
    )


def _spread(values: Numbers) -> Spread:
    found = (short(float(one)) for one in np.quantile(values, QUANTILES))
    return Spread(**dict(zip((one.name for one in fields(Spread)), found, strict=True)))
