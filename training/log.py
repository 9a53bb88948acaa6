"""What is written down of a run while it goes on, and what it comes to."""

from collections.abc import Sequence
from dataclasses import dataclass

LOG = "log"
"""The side file with one row an optimiser step."""
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
    """Real tokens, prompt included, padding not."""
    padded_tokens: int
    """What was computed: real tokens and padding."""
    padding_share: float
    """Of what was computed."""
    seconds: float
    tokens_per_second: float
    """Real tokens, optimiser included."""


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
        padding_share=round(1 - tokens / computed, 4),
        first_loss=rows[0].loss,
        last_loss=sum(row.loss for row in last) / len(last),
    )
