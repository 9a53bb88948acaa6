"""Stops a run that has gone astray, before it has trained for hours on nothing."""

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median

from schemas.errors import DollyError
from training.log import StepRow

WINDOW = 50
"""Good losses whose median is what a loss is held against."""
PATIENCE = 8
"""Steps in a row whose loss is too high before the run is stopped: one hard batch is no divergence."""
LEAST = 1.0
"""Nats that a loss must be above the median, however low that is: a set known by heart has losses near 0."""


class DivergedError(DollyError):
    """The numbers of a run are none any more, or its loss has left for good."""


@dataclass(slots=True, kw_only=True)
class Guard:
    """Knows the losses of a run and which of them were good."""

    ratio: float = 0.0
    """Times the median that a loss may be; 0: only what is not a number stops a run."""
    good_until: int = 0
    """The last step whose loss was good; steps count from 1."""
    _losses: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))
    _bad: int = 0

    @property
    def suspicious(self) -> bool:
        """Whether the last loss was too high."""
        return self._bad > 0

    def take_up(self, rows: Iterable[StepRow]) -> None:
        """Know the steps of a run that goes on; they were let pass."""
        for row in rows:
            self._note(row.step, row.loss)

    def check(self, step: int, loss: float, norm: float) -> None:
        """Look at a step before its update is made.

        Raises:
            DivergedError: the loss or the gradient is no number, or the loss was too high for too long.
        """
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise DivergedError(f"training stopped at step {step}: loss {loss}, gradient norm {norm}")
        self._note(step, loss)
        if self._bad >= PATIENCE:
            raise DivergedError(
                f"training stopped at step {step}: the loss is {loss:.3f} and was over {self.limit:.3f}, "
                f"{self.ratio:g} times its median, for {self._bad} steps"
            )

    @property
    def limit(self) -> float:
        """The loss above which a step is not good."""
        if not self.ratio or not self._losses:
            return math.inf
        middle = median(self._losses)
        return max(self.ratio * middle, middle + LEAST)

    def _note(self, step: int, loss: float) -> None:
        if loss > self.limit:
            self._bad += 1
            return
        self._bad, self.good_until = 0, step
        self._losses.append(loss)
