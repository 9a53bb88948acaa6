"""The training loop: plain torch, one optimiser step at a time.

Where the processor computes in bf16 the model's weights are bf16 and the optimiser keeps the bits that they lack; the
gradients of a step's micro-batches are summed in fp32. This is faster on a CPU than autocast, which converts every
weight at every use, and an update smaller than bf16 can hold is not lost. `training/optimiser.py` has what needs less.
"""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

import torch
from torch import nn

from schemas.outcome import SILENT, Aside
from training.checkpoint.resume import Keeper, keeping_what_was_good
from training.checkpoint.state import State
from training.config import TrainConfig, total_steps
from training.guard import Guard
from training.log import LOG, UNWATCHED, StepRow, Trained, Watcher, note_of, summed_up
from training.model.loss import head_suffices, response_loss
from training.model.packing import attention_of
from training.model.recompute import recomputing
from training.ranks.distributed import ALONE, Ranks
from training.ranks.sharding import computed, whole
from training.records.batching import MicroBatch, collate, cut, micro_batches, steps, suitable_tokens
from training.records.encoding import Example
from training.step.optimiser import AdamW, clip_scale, gradient_norm, gradients_of, sum_in, trained_weights
from training.step.trial import largest, try_largest


def train(
    model: Any,
    examples: Sequence[Example],
    config: TrainConfig,
    *,
    pad_id: int,
    aside: Aside = SILENT,
    keeper: Keeper | None = None,
    watcher: Watcher = UNWATCHED,
    guard: Guard | None = None,
    packed: bool = False,
    plan: Sequence[Sequence[Example]] | None = None,
    ranks: Ranks = ALONE,
) -> Trained:
    """Train `model` in place on the examples, from where `keeper` has the state of the same run.

    `plan` names the examples of every step, where the settings do not say it. With several `ranks` each calls this
    with the same arguments and trains on its part of every step.

    Raises:
        DivergedError: the loss or its gradient stopped being a number, or the guard had seen enough.
        StoppedError: a signal came, and the keeper has the state.
    """
    torch.manual_seed(config.seed + ranks.number)
    total = len(plan) if plan else total_steps(config, len(examples))
    tokens = config.micro_tokens or suitable_tokens(model.device, packed=packed)
    guard = guard or Guard()
    every = list(plan or steps(examples, rows=config.rows_per_step, epochs=config.epochs, seed=config.seed))[:total]
    spare = _spare(every, pad_id, packed=packed)
    stepper = Stepper(model=model, config=config, guard=guard, ranks=ranks, spare=spare)
    with gradients_of(stepper.weights), recomputing(model, on=config.recompute == "on"):
        state = State(weights=stepper.weights, optimiser=stepper.optimiser, rows=[])
        _take_up(state, keeper, aside)
        guard.take_up(state.rows)
        watcher.take_up(state.rows)
        model.train()
        aside.progress("training", len(state.rows), total)
        left = [ranks.deal(step) for step in every[len(state.rows) :]]
        parts = [list(cut(step, tokens=tokens, packed=packed)) for step in left]
        most = [collate(part, pad_id, packed=packed) for part in largest(parts, packed=packed)]
        most += [spare] * ranks.missing(len(most))
        stepper.begin(max(map(len, parts), default=0))
        try_largest(most, lambda one: backward(model, [one], head_only=stepper.head_only), state.optimiser)
        with keeping_what_was_good(keeper, guard):
            for number, taken in islice(enumerate(every), len(state.rows), total):
                mine = ranks.deal(taken)
                batches = list(micro_batches(mine, tokens=tokens, pad_id=pad_id, packed=packed))
                rate, supervised = learning_rate(number, total, config), sum(one.supervised for one in taken)
                row = watcher.gauged(stepper.take(batches, number + 1, rate, supervised), taken)
                state.rows.append(row)
                aside.leave(LOG, asdict(row))
                aside.progress("training", number + 1, total, note_of(row))
                watcher.after_step(state.rows, total)
                if keeper and number + 1 < total:
                    keeper.after_step(state, guard, aside)
    model.eval()
    return summed_up(state.rows)


def _spare(every: Sequence[Sequence[Example]], pad_id: int, *, packed: bool) -> MicroBatch:
    """Return the shortest record of a run alone."""
    shortest = min((one for step in every for one in step), key=lambda one: len(one.input_ids))
    return collate([shortest], pad_id, packed=packed)


def _take_up(state: State, keeper: Keeper | None, aside: Aside) -> None:
    """Go on where an interrupted run stopped."""
    if keeper:
        keeper.restore(state)
    for row in state.rows:
        aside.leave(LOG, asdict(row))


def learning_rate(step: int, total: int, config: TrainConfig) -> float:
    """Return the learning rate of step `step` (from 0) of `total`."""
    warmup = max(config.warmup_steps, round(config.warmup_ratio * total))
    if step < warmup:
        return config.lr * (step + 1) / warmup
    done = (step - warmup) / max(1, total - warmup)
    shape = {"constant": 1.0, "linear": 1 - done, "cosine": (1 + math.cos(math.pi * done)) / 2}
    return config.lr * shape[config.schedule]


@dataclass(slots=True, kw_only=True)
class Stepper:
    """Takes optimiser steps on a model."""

    model: Any
    config: TrainConfig
    guard: Guard = field(default_factory=Guard)
    ranks: Ranks = ALONE
    spare: MicroBatch | None = None
    """What a rank computes for nothing while others, who need its part of the model, compute more."""
    weights: Mapping[str, nn.Parameter] = field(init=False)
    optimiser: AdamW = field(init=False)
    head_only: bool = field(init=False)

    def __post_init__(self) -> None:
        self.weights = trained_weights(self.model)
        self.optimiser = AdamW(list(self.weights.values()), self.config)
        with whole(self.model, self.ranks):
            self.head_only = head_suffices(self.model)

    def begin(self, batches: int) -> None:
        """Forget all gradients; those of so many micro-batches are summed from now on, a single one's left as it is."""
        several = batches > 1 or self.ranks.size > 1
        sum_in(self.weights, self.optimiser.forms.gradient if several else self.model.dtype)

    def take(self, batches: Sequence[MicroBatch], number: int, rate: float, supervised: int = 0) -> StepRow:
        """Take step `number` (from 1) over this rank's micro-batches; `supervised` as in `backward`."""
        started = time.monotonic()
        self.begin(len(batches))
        idle = [self.spare] * self.ranks.missing(len(batches)) if self.spare else []
        part = backward(self.model, batches, head_only=self.head_only, supervised=supervised, idle=idle)
        self.ranks.add_up(self.weights)
        loss, *counts = self.ranks.totals(part, *_counted(batches))
        norm = self.ranks.norm(gradient_norm(self.weights))
        self.guard.check(number, loss, float(norm))
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.step(scale=clip_scale(norm, self.config.clip_norm))
        return _row(counts, _Facts(number, loss, rate, float(norm), time.monotonic() - started))


def backward(
    model: Any,
    batches: Sequence[MicroBatch],
    *,
    head_only: bool,
    supervised: int = 0,
    idle: Sequence[MicroBatch] = (),
) -> float:
    """Add the gradient of the batches' mean loss per supervised token, whatever their cut, and return that loss.

    `supervised`: such tokens of all ranks, of which these batches are a part; 0: they are all that there are.
    `idle` batches are computed, too, and count for nothing.
    """
    supervised = supervised or sum(batch.supervised for batch in batches)
    parts = [torch.zeros((), device=model.device)] if not batches else []
    with attention_of(model, [*batches, *idle]):
        for number, batch in enumerate((*batches, *idle)):
            loss = partial(response_loss, model, batch.to(model.device), head_only=head_only)
            part = computed(model, loss) / supervised * (number < len(batches))
            part.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            parts.append(part.detach())
    return float(torch.stack(parts).sum())


class _Facts(NamedTuple):
    """What a step came to, its tokens apart."""

    step: int
    loss: float
    lr: float
    grad_norm: float
    seconds: float


def _counted(batches: Sequence[MicroBatch]) -> tuple[int, int, int, int]:
    """Return records, supervised tokens, real tokens and computed tokens of micro-batches."""
    return (
        sum(one.rows for one in batches),
        sum(one.supervised for one in batches),
        sum(one.real_tokens for one in batches),
        sum(one.padded_tokens for one in batches),
    )


def _row(counts: Sequence[float], facts: _Facts) -> StepRow:
    rows, supervised, tokens, padded = map(int, counts)
    return StepRow(
        **facts._asdict(),
        rows=rows,
        response_tokens=supervised,
        tokens=tokens,
        padded_tokens=padded,
        padding_share=round(max(0.0, 1 - tokens / padded), 4),
        tokens_per_second=round(tokens / facts.seconds, 1),
    )
