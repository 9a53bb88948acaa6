"""Stops before a source or a category vanishes: a shared template can make thousands of records look alike."""

import logging
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from curation.dedupe.decide import Match
from curation.dedupe.pool import Pool
from schemas.errors import InputError

log = logging.getLogger(__name__)

SMALLEST = 50
"""Different records from which a source or category is looked at: of fewer, half may well be duplicates."""

WARN, STOP = 0.2, 0.5
"""Shares of the different records of a source or category: above the first it is said, above the second nothing is
written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What a source or category would lose to near duplicates. Copies of kept records are no loss."""

    kind: str
    """`source` or `category`."""
    name: str
    records: int
    """Different records."""
    lost: int

    @property
    def share(self) -> float:
        """Lost ones among the different ones."""
        return self.lost / self.records

    def __str__(self) -> str:
        """Say it in a line."""
        return f"{self.kind} {self.name!r} loses {self.lost:,} of {self.records:,} different records ({self.share:.0%})"


def losses(pool: Pool, matches: Mapping[int, Match]) -> list[Loss]:
    """Return the losses that are worth a word, the greatest first."""
    records: Counter[tuple[str, str]] = Counter()
    lost: Counter[tuple[str, str]] = Counter()
    for row in pool.order:
        match = matches.get(row)
        if match is None or match.cosine is not None:
            names = list(_names(pool, row))
            records.update(names)
            lost.update(names * (match is not None))
    found = [Loss(kind=kind, name=name, records=n, lost=lost[kind, name]) for (kind, name), n in records.items()]
    large = [one for one in found if one.records >= SMALLEST and one.share > WARN]
    return sorted(large, key=lambda one: (-one.share, one.kind, one.name))


def check_losses(found: Collection[Loss], allowed: Collection[str]) -> None:
    """Say what is lost, and stop where it is too much.

    Raises:
        InputError: a source or category that is not among `allowed` would lose more than half.
    """
    by_name = defaultdict(list)
    for one in found:
        by_name[one.share > STOP and one.name not in allowed].append(one)
    for one in by_name[False]:
        log.warning("dedupe: %s", one)
    if by_name[True]:
        names = " ".join(f"--allow-loss {one.name!r}" for one in by_name[True])
        raise InputError(
            f"dedupe: {'; '.join(map(str, by_name[True]))}. Nothing was written. If that is right, pass {names}"
        )


def _names(pool: Pool, row: int) -> Iterator[tuple[str, str]]:
    group = pool.groups[pool.in_group[row]]
    for kind, name in group._asdict().items():
        if name:
            yield kind, name
