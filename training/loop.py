"""The training loop: plain torch, one optimiser step at a time.

Where the processor computes in bf16 the model's weights are bf16 and the optimiser keeps fp32 copies of them; the
gradients of a step's micro-batches are summed in fp32. This is faster on a CPU than autocast, which converts every
weight at every use, and an update smaller than bf16 can hold is not lost.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from schemas.errors import DollyError
from schemas.outcome import SILENT, Aside
from training.batching import MicroBatch, micro_batches, steps, suitable_tokens
from training.config import Precision, TrainConfig, total_steps
from training.encoding import Example
from training.loss import head_suffices, response_loss

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


def train(
    model: Any, examples: Sequence[Example], config: TrainConfig, *, pad_id: int, aside: Aside = SILENT
) -> Trained:
    """Train `model` in place on the examples.

    Raises:
        DollyError: the loss or its gradient stopped being a number.
    """
    torch.manual_seed(config.seed)
    total, rows = total_steps(config, len(examples)), []
    tokens = config.micro_tokens or suitable_tokens(model.device)
    with masters_of(model) as masters:
        stepper = _Stepper(model=model, masters=masters, optimiser=_optimiser(masters.weights, config), config=config)
        model.train()
        plan = steps(examples, rows=config.rows_per_step, epochs=config.epochs, seed=config.seed)
        for number, taken in enumerate(islice(plan, total)):
            batches = list(micro_batches(taken, tokens=tokens, pad_id=pad_id))
            rows.append(stepper.take(batches, number + 1, learning_rate(number, total, config)))
            aside.leave(LOG, asdict(rows[-1]))
            aside.progress("training", number + 1, total, f"loss {rows[-1].loss:.3f}")
    model.eval()
    return _trained(rows)


@torch.inference_mode()
def mean_loss(model: Any, examples: Sequence[Example], *, pad_id: int, tokens: int, aside: Aside = SILENT) -> float:
    """Return the mean loss over the supervised tokens of the examples, in nats; the model is left as it was."""
    was_training, head_only = model.training, head_suffices(model)
    model.eval()
    batches = list(micro_batches(examples, tokens=tokens, pad_id=pad_id))
    total = 0.0
    for number, batch in enumerate(batches, 1):
        total += float(response_loss(model, batch.to(model.device), head_only=head_only))
        aside.progress("held-out loss", number, len(batches))
    model.train(was_training)
    return total / sum(batch.supervised for batch in batches)


def learning_rate(step: int, total: int, config: TrainConfig) -> float:
    """Return the learning rate of step `step` (from 0) of `total`."""
    warmup = max(config.warmup_steps, round(config.warmup_ratio * total))
    if step < warmup:
        return config.lr * (step + 1) / warmup
    done = (step - warmup) / max(1, total - warmup)
    shape = {"constant": 1.0, "linear": 1 - done, "cosine": (1 + math.cos(math.pi * done)) / 2}
    return config.lr * shape[config.schedule]


def choose_device() -> torch.device:
    """Return this machine's accelerator, or its processor."""
    return torch.device("cuda") if torch.cuda.is_available() else torch.device("cpu")


def choose_dtype(wanted: Precision, device: torch.device) -> torch.dtype:
    """Return what the model computes in: what was asked for, else bf16 where the hardware multiplies in it."""
    if wanted != "auto":
        return torch.bfloat16 if wanted == "bf16" else torch.float32
    return torch.bfloat16 if _computes_bf16(device) else torch.float32


def _computes_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    abilities = torch.cpu.get_capabilities()
    return any(abilities.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


class Masters:
    """The weights that the optimiser changes: fp32 copies where the model's are bf16, else the model's own."""

    def __init__(self, model: nn.Module) -> None:
        self._own = [one for one in model.parameters() if one.requires_grad]
        self.weights = [one if one.dtype == torch.float32 else nn.Parameter(one.detach().float()) for one in self._own]
        self._copied = [(own, master) for own, master in zip(self._own, self.weights, strict=True) if own is not master]
        self._hooks = [_hook(own, _move_to(master)) for own, master in self._copied]

    @torch.no_grad()
    def write_back(self) -> None:
        """Round the copies into the model."""
        for own, master in self._copied:
            own.copy_(master)

    def release(self) -> None:
        """Leave the model as an ordinary one."""
        for hook in self._hooks:
            hook.remove()
        for weight in self.weights:
            weight.grad = None


@contextmanager
def masters_of(model: nn.Module) -> Iterator[Masters]:
    """Give the optimiser its weights for as long as the context lasts."""
    masters = Masters(model)
    try:
        yield masters
    finally:
        masters.release()


def _hook(weight: nn.Parameter, move: Callable[[Tensor], None]) -> RemovableHandle:
    handle: RemovableHandle = weight.register_post_accumulate_grad_hook(move)  # type: ignore[no-untyped-call]  # torch
    return handle


def _move_to(master: nn.Parameter) -> Callable[[Tensor], None]:
    """Return the hook that adds a gradient to the fp32 copy as soon as it is complete."""

    def move(own: Tensor) -> None:
        assert own.grad is not None
        master.grad = own.grad.float() if master.grad is None else master.grad.add_(own.grad)
        own.grad = None

    return move


def _optimiser(weights: list[nn.Parameter], config: TrainConfig) -> torch.optim.AdamW:
    return torch.optim.AdamW(
        weights,
        lr=config.lr,
        betas=(config.beta1, config.beta2),
        eps=config.eps,
        weight_decay=config.weight_decay,
        fused=True,
    )


@dataclass(slots=True, kw_only=True)
class _Stepper:
    """Takes optimiser steps on a model."""

    model: Any
    masters: Masters
    optimiser: torch.optim.Optimizer
    config: TrainConfig
    head_only: bool = field(init=False)

    def __post_init__(self) -> None:
        self.head_only = head_suffices(self.model)

    def take(self, batches: Sequence[MicroBatch], number: int, rate: float) -> StepRow:
        """Take step `number` (from 1) over its micro-batches."""
        started = time.monotonic()
        self.optimiser.zero_grad(set_to_none=True)
        loss = backward(self.model, batches, head_only=self.head_only)
        norm = float(nn.utils.clip_grad_norm_(self.masters.weights, self.config.clip_norm or math.inf))
        _guard(number, loss, norm)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.step()
        self.masters.write_back()
        return _row(batches, _Facts(number, loss, rate, norm, time.monotonic() - started))


def backward(model: Any, batches: Sequence[MicroBatch], *, head_only: bool) -> float:
    """Add the gradient of the batches' mean loss per supervised token, whatever their cut, and return that loss."""
    supervised = sum(batch.supervised for batch in batches)
    parts = []
    for batch in batches:
        part = response_loss(model, batch.to(model.device), head_only=head_only) / supervised
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


def _row(batches: Sequence[MicroBatch], facts: _Facts) -> StepRow:
    tokens, padded = sum(one.real_tokens for one in batches), sum(one.padded_tokens for one in batches)
    return StepRow(
        **facts._asdict(),
        rows=sum(one.input_ids.shape[0] for one in batches),
        response_tokens=sum(one.supervised for one in batches),
        tokens=tokens,
        padded_tokens=padded,
        padding_share=round(1 - tokens / padded, 4),
        tokens_per_second=round(tokens / facts.seconds, 1),
    )


def _guard(step: int, loss: float, norm: float) -> None:
    if math.isfinite(loss) and math.isfinite(norm):
        return
    raise DollyError(
        f"training stopped at step {step}: loss {loss}, gradient norm {norm}; nothing was written. "
        "A smaller --lr, a longer --warmup-ratio or --dtype fp32 usually help."
    )


def _trained(rows: Sequence[StepRow]) -> Trained:
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
