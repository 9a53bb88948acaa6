"""Counts outcomes as they go by."""

from collections import Counter
from collections.abc import Iterable

from schemas.manifest import Counts
from schemas.outcome import Outcome, Rejection


class Tally:
    """What a step's outcomes come to: kept + rejected = rows, and why."""

    def __init__(self) -> None:
        self._kept = self._rejected = self._repaired = self._flagged = 0
        self._reasons: Counter[str] = Counter()
        self._repairs: Counter[str] = Counter()
        self._flags: Counter[str] = Counter()

    def add(self, outcome: Outcome) -> None:
        """Count one outcome; a code counts once a row."""
        if isinstance(outcome, Rejection):
            self._rejected += 1
            self._reasons.update(_once(reason.code for reason in outcome.reasons))
            return
        self._kept += 1
        self._repaired += bool(outcome.repairs)
        self._flagged += bool(outcome.flags)
        self._repairs.update(_once(repair.code for repair in outcome.repairs))
        self._flags.update(_once(flag.code for flag in outcome.flags))

    def counts(self) -> Counts:
        """Return the counts so far, the commonest codes first."""
        return Counts(
            rows=self._kept + self._rejected,
            kept=self._kept,
            rejected=self._rejected,
            repaired=self._repaired,
            flagged=self._flagged,
            reasons=dict(self._reasons.most_common()),
            repairs=dict(self._repairs.most_common()),
            flags=dict(self._flags.most_common()),
        )


def _once(codes: Iterable[str]) -> list[str]:
    """Return each code once, in the order of the checks: a set's order is another one in every process."""
    return list(dict.fromkeys(codes))
