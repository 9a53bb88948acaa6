"""How many records people looked at, and what they said of them."""

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.record import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewCounts:
    """sampled = accepted + rejected + edited + undecided + stale; rejected rows that were judged count apart."""

    sampled: int = 0
    accepted: int = 0
    rejected: int = 0
    edited: int = 0
    undecided: int = 0
    stale: int = 0
    """Decisions about records that were not there any more; nothing was done."""
    drops_right: int = 0
    """Rejected rows of which a person said that they were rejected rightly."""
    drops_wrong: int = 0
    """Rejected rows of which a person said that they should have been kept."""
    seeds: tuple[int, ...] = ()
    """The seeds the samples were drawn by."""
    population: int = 0
    """Kept records that the sample was drawn from; 0 where the file does not say."""

    @property
    def looked_at(self) -> int:
        """Kept records that a person decided about."""
        return self.accepted + self.rejected + self.edited

    def in_words(self) -> str:
        """Return the counts as a line for a terminal."""
        parts = [f"{getattr(self, name):,} {name}" for name in ("accepted", "rejected", "edited", "undecided", "stale")]
        judged = self.drops_right + self.drops_wrong
        more = f"; of {judged:,} rejected rows {self.drops_wrong:,} wrongly rejected" if judged else ""
        return f"{self.sampled:,} sampled: {', '.join(parts)}{more}"


def count_decisions(rows: Iterable[Row]) -> ReviewCounts:
    """Count the rows that a review left in `decisions.jsonl`."""
    rows = list(rows)
    kept = [row for row in rows if row["drawn"].get("fate", "kept") == "kept"]
    drops = [row["decision"] for row in rows if row["drawn"].get("fate", "kept") != "kept"]
    words = [row["decision"] for row in kept if not row["stale"]]
    return ReviewCounts(
        sampled=len(kept),
        accepted=words.count("accept"),
        rejected=words.count("reject"),
        edited=words.count("edit"),
        undecided=words.count(None),
        stale=len(kept) - len(words),
        drops_right=drops.count("reject"),
        drops_wrong=drops.count("accept"),
        seeds=tuple(sorted({seed for row in kept if isinstance(seed := row["drawn"].get("seed"), int)})),
        population=max((size for row in kept if isinstance(size := row["drawn"].get("of"), int)), default=0),
    )
