"""What a comparison will take and what it can show, said before it begins."""

from collections.abc import Iterable
from dataclasses import dataclass

from training.model.adapter import adapt
from training.model.load import config_of
from training.planning.footprint import Sizes, meta_model, operations, sizes
from training.planning.forecast import shapes_of
from training.planning.rehearsal import try_out
from training.prove.budget import planned
from training.prove.prepare import Prepared
from training.prove.protocol import Protocol
from training.prove.statistics import smallest_effect
from training.records.batching import Shape, shapes, suitable_tokens

FORWARD = 1 / 3
"""Share of a training step's operations that a forward pass has."""
LOADING_S = 3.0
"""Seconds that a run takes before its first step."""
MORE_SEEDS = (3, 5, 8)
"""Numbers of seeds for which the smallest effect is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What is to be expected."""

    runs: int
    minutes: float
    """On this machine, as many runs at once as was asked for."""
    smallest: tuple[tuple[int, float], ...]
    """Seeds → smallest effect, in nats per response token, if the spread is as the protocol thinks."""


def outlook(prepared: Prepared, protocol: Protocol) -> Outlook:
    """Return what a comparison will take, after a trial of a few steps on this machine."""
    request, tests = prepared.request, len(prepared.tests)
    runs = len(prepared.arms) * request.seeds + 2 * request.pilot
    seconds = _seconds_a_run(prepared)
    counts = sorted({*MORE_SEEDS, request.seeds})
    return Outlook(
        runs=runs,
        minutes=runs * seconds / 60 / max(1, min(request.jobs, runs)),
        smallest=tuple((one, smallest_effect(protocol.spread, seeds=one, prompts=tests)) for one in counts),
    )


def _seconds_a_run(prepared: Prepared) -> float:
    plan, budget = prepared.plan, prepared.budget
    trial = try_out(plan)
    model = meta_model(config_of(plan.base), len(plan.encoder.tokenizer), plan.dtype)
    adapt(model, plan.config, plan.encoder.key_ids.values())
    size = sizes(model)
    first = next(iter(prepared.arms.values()))
    steps = planned(first(prepared.request.config.seed), budget, prepared.request.config.seed)
    training = sum(_operations(size, shapes_of(one, plan.config)) for one in steps)
    tests = shapes(prepared.tests, tokens=suitable_tokens(plan.device))
    test = _operations(size, tests) * FORWARD
    return LOADING_S + (training + test * len(budget.marks)) * trial.seconds_per_operation


def _operations(size: Sizes, batches: Iterable[Shape]) -> int:
    return sum(operations(size, one) for one in batches)
