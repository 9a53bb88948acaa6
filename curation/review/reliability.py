"""How far two or more people agree about the same records.

Where defects are rare, kappa alone says too little and raw agreement too much: publish the table with both.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What two reviewers said of the records that both decided about: a 2x2 table."""

    both_reject: int = 0
    first_only: int = 0
    """Rejected by the first, accepted by the second."""
    second_only: int = 0
    both_accept: int = 0

    @property
    def total(self) -> int:
        """Records that both decided about."""
        return self.both_reject + self.first_only + self.second_only + self.both_accept

    @property
    def observed(self) -> float:
        """Share of records on which they agree."""
        return (self.both_reject + self.both_accept) / self.total if self.total else math.nan

    @property
    def by_chance(self) -> float:
        """Share on which they would agree if each rejected as often as now, at random."""
        if not self.total:
            return math.nan
        first = (self.both_reject + self.first_only) / self.total
        second = (self.both_reject + self.second_only) / self.total
        return first * second + (1 - first) * (1 - second)

    @property
    def kappa(self) -> float:
        """Cohen's kappa (1960): agreement beyond chance; not a number where chance alone agrees on all."""
        chance = self.by_chance
        return math.nan if math.isnan(chance) or chance >= 1 else (self.observed - chance) / (1 - chance)

    @property
    def on_rejects(self) -> float:
        """Positive agreement: of all rejections, the share that both made (Cicchetti and Feinstein, 1990)."""
        said = 2 * self.both_reject + self.first_only + self.second_only
        return 2 * self.both_reject / said if said else math.nan

    def kappa_interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return the large-sample interval of kappa."""
        kappa, n, chance = self.kappa, self.total, self.by_chance
        if math.isnan(kappa):
            return math.nan, math.nan
        error = math.sqrt(self.observed * (1 - self.observed) / (n * (1 - chance) ** 2))
        half = NormalDist().inv_cdf((1 + confidence) / 2) * error
        return max(-1.0, kappa - half), min(1.0, kappa + half)


def table_of(pairs: Iterable[tuple[bool, bool]]) -> Table:
    """Return the table of (first rejects, second rejects), one pair a record."""
    counts = Counter(pairs)
    return Table(
        both_reject=counts[True, True],
        first_only=counts[True, False],
        second_only=counts[False, True],
        both_accept=counts[False, False],
    )


def krippendorff_alpha(units: Iterable[Sequence[str | None]]) -> float:
    """Return Krippendorff's alpha for names, any number of reviewers, with gaps; not a number where all say one thing.

    Each unit holds what every reviewer said of one record; None is a gap. Records with fewer than two words do not
    count. At .8 and above one may rely on the words, from .667 on tentatively (Krippendorff, Content Analysis, 2004).
    """
    together: dict[tuple[str, str], float] = defaultdict(float)
    for unit in units:
        said = Counter(word for word in unit if word is not None)
        total = sum(said.values())
        for one, count in said.items():
            for other, times in said.items():
                if total > 1:
                    together[one, other] += count * (times - (one == other)) / (total - 1)
    return _alpha(together)


def _alpha(together: Mapping[tuple[str, str], float]) -> float:
    words: dict[str, float] = defaultdict(float)
    for (one, _), weight in together.items():
        words[one] += weight
    n = sum(words.values())
    apart = sum(weight for (one, other), weight in together.items() if one != other)
    expected = sum(words[one] * words[other] for one in words for other in words if one != other)
    return 1 - (n - 1) * apart / expected if expected else math.nan
