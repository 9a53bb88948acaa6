"""Strings that ought to stand in a set of this size and never do: the trace of a stop string.

A generator that was told to stop at "20." stops in the middle of "2020." too, and says that it finished. No record
shows it; the whole set does: "19." 174 times, "21." 94 times, "20." never, in Alpaca. So numbers before a mark are
counted, and one that is missing between two neighbours that are not is reported, with how unlikely that is by chance.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from schemas.record import TEXT_FIELDS, InstructionRecord

MARKS = (".", ")", ":", ",")
_NUMBERED = re.compile(r"(?=(\d\d)([.):,]))")
UNLIKELY = 1e-6
"""Probability below which an absence is no chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingString:
    """A string that never occurs, and its neighbours that do."""

    text: str
    before: int
    """Times that the neighbour below occurs."""
    after: int
    """Times that the neighbour above occurs."""
    expected: float
    """Times that it should occur: the geometric mean of both."""
    probability: float
    """Of not seeing it once, if it came by chance (Poisson)."""


def count_numbered(records: Iterable[InstructionRecord]) -> Counter[str]:
    """Count the last two digits before each mark, wherever they stand: "2020." counts as "20."."""
    counts: Counter[str] = Counter()
    for record in records:
        for field in TEXT_FIELDS:
            counts.update("".join(match.groups()) for match in _NUMBERED.finditer(getattr(record, field)))
    return counts


def missing_strings(counts: Counter[str]) -> Iterator[MissingString]:
    """Yield every number with a mark that never occurs although both its neighbours do too often for that."""
    for mark in MARKS:
        for number in range(11, 99):
            text, before, after = (f"{one}{mark}" for one in (number, number - 1, number + 1))
            expected = math.sqrt(counts[before] * counts[after])
            if counts[text] == 0 and math.exp(-expected) < UNLIKELY:
                yield MissingString(
                    text=text,
                    before=counts[before],
                    after=counts[after],
                    expected=round(expected, 1),
                    probability=math.exp(-expected),
                )
