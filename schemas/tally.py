"""Counts outcomes as they go by."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from schemas.manifest import Counts
from schemas.outcome import Outcome, Rejection


@dataclass(slots=True)
class Tally:
    """What a step's outcomes come to: kept + rejected = rows, and why; codes in the order of their first appearance."""

    kept: int = 0
    rejected: int = 0
    repaired: int = 0
    flagged: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    repairs: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        """Count one outcome; a code counts once a row."""
        if isinstance(outcome, Rejection):
            self.rejected += 1
            self.reasons.update(_once(reason.code for reason in outcome.reasons))
            return
        self.kept += 1
        if outcome.repairs:
            self.repaired += 1
            self.repairs.update(_once(repair.code for repair in outcome.repairs))
        if outcome.flags:
            self.flagged += 1
            self.flags.update(_once(flag.code for flag in outcome.flags))

    def merge(self, other: "Tally") -> None:
        """Count what another one counted, as if its outcomes had gone by here."""
        self.kept += other.kept
        self.rejected += other.rejected
        self.repaired += other.repaired
        self.flagged += other.flagged
        self.reasons.update(other.reasons)
        self.repairs.update(other.repairs)
        self.flags.update(other.flags)

    @property
    def rows(self) -> int:
        """How many outcomes were counted."""
        return self.kept + self.rejected

    def counts(self) -> Counts:
        """Return the counts so far, the commonest codes first."""
        return Counts(
            rows=self.rows,
            kept=self.kept,
            rejected=self.rejected,
            repaired=self.repaired,
            flagged=self.flagged,
            reasons=dict(self.reasons.most_common()),
            repairs=dict(self.repairs.most_common()),
            flags=dict(self.flags.most_common()),
        )


def _once(codes: Iterable[str]) -> list[str]:
    """Return each code once, in the order of the checks: a set's order is another one in every process."""
    return list(dict.fromkeys(codes))
