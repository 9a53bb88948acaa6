"""What is written down of a run while it goes on, and what it comes to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

LOG = "log"
"""The side file with one row an optimiser step."""
EVALUATIONS = "evaluations"
"""The side file with one row an evaluation."""
SAMPLES = "samples"
"""The side file with one row an answer to a fixed prompt."""
NOTES = "notes"
"""The side file with one row for each thing that a user should know of; most runs have none."""
LAST_SHARE = 0.1
"""Share of the steps, at the end, whose mean loss is the run's last loss."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow:
    """What is logged of one optimiser step; counted from 1."""

    step: int
    loss: float
    """Nats per supervised token, before the update."""
    lr: float
    grad_norm: float
    """Before clipping."""
    rows: int
    response_tokens: int
    """Supervised tokens, end keys included."""
    tokens: int
    """Real tokens of all records, prompt included, padding not."""
    padded_tokens: int
    """What was computed: with the padding, and what packed records share once."""
    padding_share: float
    """Of what was computed."""
    seconds: float
    tokens_per_second: float
    """Real tokens, optimiser included."""
    mfu: float = 0.0
    """Share of the device's peak that the real tokens' operations came to; 0: not measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What a run measured."""

    steps: int
    seconds: float
    tokens: int
    """Real tokens, padding not counted, over all epochs."""
    response_tokens: int
    """Supervised tokens among them."""
    tokens_per_second: float
    padding_share: float
    first_loss: float
    """Loss of the first step, nats per supervised token."""
    last_loss: float
    """Mean loss of the last tenth of the steps."""
    mfu: float = 0.0
    """Share of the device's peak that the real tokens' operations came to, over all steps; 0: not measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryLoss:
    """Mean loss over the supervised tokens of the held-out records of one category, in nats."""

    category: str
    records: int
    tokens: int
    """Supervised."""
    loss: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What a model could do after some steps."""

    step: int
    """Optimiser steps taken; 0: the base."""
    seconds: float
    """That this evaluation took."""
    loss: float | None = None
    """Over all held-out records, nats per supervised token; None where nothing was held out."""
    tokens: int = 0
    """Supervised tokens that the loss is over."""
    categories: tuple[CategoryLoss, ...] = ()
    stop_rate: float | None = None
    """Share of the answers that the model ended itself within the limit; None where none were asked for."""
    answers: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """An answer to one of the fixed prompts."""

    step: int
    title: str
    category: str
    instruction: str
    context: str
    text: str
    stopped: bool
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """The most operations a second that a device does on dense matrices."""

    per_second: float
    measured: bool
    """By a multiplication on the device itself; false: from its maker's data sheet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What was seen of a run besides its training loss."""

    peak: Peak
    evaluations: int
    seconds: float
    """That all evaluations took."""
    first: Evaluation | None
    """Of the base."""
    last: Evaluation | None
    """Of the tuned model."""


class Watcher(Protocol):
    """Looks at a run from outside; whatever it does, the weights that come out are the same."""

    def take_up(self, rows: Sequence[StepRow]) -> None:
        """Begin, or go on after these steps."""

    def gauged(self, row: StepRow, examples: Sequence[Any]) -> StepRow:
        """Return a step's row with what share of the device's peak its examples used."""

    def wants(self, rows: Sequence[StepRow], total: int) -> bool:
        """Say whether it is time to look at the model, after these of so many steps."""

    def after_step(self, rows: Sequence[StepRow], total: int) -> None:
        """Look at the model, if it is time to."""


class _Nobody:
    """Does not look."""

    def take_up(self, rows: Sequence[StepRow]) -> None:
        """Do nothing."""

    def gauged(self, row: StepRow, examples: Sequence[Any]) -> StepRow:
        """Return the row as it is."""
        del examples
        return row

    def wants(self, rows: Sequence[StepRow], total: int) -> bool:
        """Never."""
        del rows, total
        return False

    def after_step(self, rows: Sequence[StepRow], total: int) -> None:
        """Do nothing."""


UNWATCHED: Watcher = _Nobody()


def note_of(row: StepRow) -> str:
    """Return how a step went, in a few words beside a progress bar; the most telling first."""
    return f"loss {row.loss:.3f}, {row.tokens_per_second:,.0f} tokens/s"


def summed_up(rows: Sequence[StepRow]) -> Trained:
    """Return what the rows of a run come to."""
    last = rows[-max(1, round(len(rows) * LAST_SHARE)) :]
    tokens, seconds = sum(row.tokens for row in rows), sum(row.seconds for row in rows)
    computed = sum(row.padded_tokens for row in rows)
    return Trained(
        steps=len(rows),
        seconds=round(seconds, 2),
        tokens=tokens,
        response_tokens=sum(row.response_tokens for row in rows),
        tokens_per_second=round(tokens / seconds, 1),
        padding_share=round(max(0.0, 1 - tokens / computed), 4),
        first_loss=rows[0].loss,
        last_loss=sum(row.loss for row in last) / len(last),
        mfu=round(sum(row.mfu * row.seconds for row in rows) / seconds, 4),
    )
