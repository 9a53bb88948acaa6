"""Scores side by side: one column a score, one place a record."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from curation.score.file import Line

Numbers: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One scorer's scores."""

    name: str
    values: Numbers
    """One a record; not a number where there is none."""
    why: Mapping[int, str]
    """Place → the reason why that record has none."""

    @property
    def missing(self) -> dict[str, int]:
        """Reason → records without a score for it."""
        return dict(sorted(Counter(self.why.values()).items()))


def columns_of(ids: Sequence[str], lines: Iterable[Line]) -> dict[str, Column]:
    """Return the scores of these records by name; of several lines for one score the last one counts."""
    place = {one: at for at, one in enumerate(ids)}
    values: dict[str, Numbers] = {}
    why: dict[str, dict[int, str]] = {}
    for line in lines:
        if (at := place.get(line.id)) is None:
            continue
        if line.name not in values:
            values[line.name], why[line.name] = np.full(len(ids), math.nan), {}
        values[line.name][at] = math.nan if line.score.value is None else line.score.value
        why[line.name].pop(at, None)
        if line.score.reason:
            why[line.name][at] = line.score.reason
    return {name: Column(name=name, values=column, why=why[name]) for name, column in values.items()}
