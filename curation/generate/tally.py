"""What a run has come to so far, and when it is to give up."""

from collections import Counter
from dataclasses import dataclass, field

from schemas.errors import YieldError
from schemas.outcome import Outcome, Rejection

DRY_ROUNDS = 3
"""Rounds under the least yield, one after another, after which generation stops."""


@dataclass(slots=True)
class Tally:
    """Counts of a run."""

    kept: int = 0
    rows: int = 0
    turns: int = 0
    """Turns at which there was something to ask or to work on."""
    dry: int = 0
    """Rounds in a row that hardly kept anything."""
    reasons: Counter[str] = field(default_factory=Counter)

    def note(self, outcome: Outcome) -> None:
        """Count an outcome."""
        self.rows += 1
        self.kept += not isinstance(outcome, Rejection)
        if isinstance(outcome, Rejection):
            self.reasons.update(reason.code for reason in outcome.reasons)

    def __str__(self) -> str:
        top = "".join(f", mostly {code}" for code, _ in self.reasons.most_common(1))
        return f"{self.kept / (self.rows or 1):.0%} of {self.rows:,} kept{top}"

    def give_up_if_dry(self, before: "Tally", *, n: int, min_yield: float) -> None:
        """Count a round that hardly kept anything since `before`, and end the run after three in a row.

        Raises:
            YieldError: says how far the run came, and what helps.
        """
        rows, kept = self.rows - before.rows, self.kept - before.kept
        self.dry = 0 if rows and kept >= min_yield * rows else self.dry + 1
        if self.dry == DRY_ROUNDS:
            raise YieldError(self._dried_up(n, min_yield))

    def _dried_up(self, n: int, min_yield: float) -> str:
        top = ", ".join(f"{code} {number:,}" for code, number in self.reasons.most_common(3)) or "none"
        rest = f"-n {self.kept} writes those and asks for nothing new" if self.kept else "nothing was kept"
        return (
            f"generation dried up: {DRY_ROUNDS} rounds in a row kept less than {min_yield:.0%} of what was "
            f"written; {self.kept:,} of {n:,} records so far ({rest}). Most frequent reasons: {top}. More varied seeds "
            f"(--seeds), a larger model (--model, --base-url) or another --temperature help."
        )
