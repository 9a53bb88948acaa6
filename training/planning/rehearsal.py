"""A few steps of a run on this machine: how long they take, and what they hold."""

import resource
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import torch

from training.model.adapter import adapt
from training.model.load import load_model, make_room
from training.model.packing import choose_packing
from training.model.quantised import loading
from training.model.recompute import recomputing
from training.planning.footprint import operations, sizes
from training.planning.plan import Plan, as_packed
from training.records.batching import micro_batches, shapes, steps
from training.records.encoding import Example
from training.step.loop import Stepper
from training.step.optimiser import gradients_of

TRIED = 4
"""Steps that are timed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What was measured on this machine."""

    seconds_per_operation: float
    """Updates of the weights included."""
    peak: int
    """Bytes that the process, or the accelerator, held at most."""


def try_out(plan: Plan) -> Trial:
    """Load the model and take a few of the run's steps, one on its longest micro-batch first."""
    model = load_model(plan.base, plan.dtype, **loading(plan.config, plan.dtype))
    make_room(model, plan.encoder.tokenizer, plan.known, plan.encoder.end_id)
    model.to(plan.device)
    adapt(model, plan.config, plan.encoder.key_ids.values())
    packed = choose_packing(model, plan.config.packing)
    pad_id, tokens = int(plan.encoder.tokenizer.pad_token_id), as_packed(plan, packed).micro_tokens
    taken = list(planned_steps(plan))
    longest = max((one for step in taken for one in step), key=lambda one: len(one.input_ids))
    size, seconds, done = sizes(model), 0.0, 0
    stepper = Stepper(model=model, config=plan.config)
    with gradients_of(stepper.weights), recomputing(model, on=plan.config.recompute == "on"):
        model.train()
        for number, examples in enumerate([[longest], *taken[:: max(1, len(taken) // TRIED)][:TRIED]]):
            row = stepper.take(
                list(micro_batches(examples, tokens=tokens, pad_id=pad_id, packed=packed.used)), number + 1, 0.0
            )
            if number:  # the first one warms up
                seconds += row.seconds
                done += sum(operations(size, one) for one in shapes(examples, tokens=tokens, packed=packed.used))
    return Trial(seconds_per_operation=seconds / done, peak=_peak())


def planned_steps(plan: Plan) -> Iterator[list[Example]]:
    """Yield the examples of every step of a run."""
    config = plan.config
    every = steps(plan.examples, rows=config.rows_per_step, epochs=config.epochs, seed=config.seed)
    return islice(every, plan.steps)


def _peak() -> int:
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    scale = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale
