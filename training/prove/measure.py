"""The loss of a model on each test response, and when it is measured while a run goes on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.outcome import Aside
from training.log import LOG
from training.records.encoding import Example
from training.records.losses import record_losses


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """An aside that measures the model after some of its steps: the log's row comes when its step is done."""

    model: Any
    steps: Sequence[int]
    tests: Sequence[Example]
    tokens: int
    """Padded tokens computed at once."""
    aside: Aside
    measured: dict[int, list[float]] = field(default_factory=dict)
    """Step → nats by test response; step 0 is before the first."""
    used: dict[int, int] = field(default_factory=lambda: {0: 0})
    """Step → response tokens that were learned from until then."""

    def measure(self, step: int) -> None:
        """Measure the model as it is after `step`."""
        self.measured[step] = record_losses(self.model, self.tests, tokens=self.tokens)

    def leave(self, name: str, row: Mapping[str, Any]) -> None:
        """Take notice of a finished step."""
        self.aside.leave(name, row)
        if name == LOG:
            self.used[row["step"]] = self.used[row["step"] - 1] + row["response_tokens"]
            if row["step"] in self.steps:
                self.measure(row["step"])

    def progress(self, what: str, done: int, total: int | None = None, note: str = "") -> None:
        """Pass on how far it has come."""
        self.aside.progress(what, done, total, note)
