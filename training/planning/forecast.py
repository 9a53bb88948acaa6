"""What a run will take, said before it begins: memory and minutes on this machine and on named hardware."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch

from schemas.outcome import SILENT, Aside
from training.config import TrainConfig
from training.model.adapter import adapt
from training.model.load import config_of, find_base, has_tokenizer, has_weights, load_tokenizer
from training.planning.fitting import choices, copies_fit, device_memory, largest_of, padded_vocabulary
from training.planning.footprint import Footprint, Sizes, footprint, merging, meta_model, operations, sizes
from training.planning.plan import Plan, Request, make_plan
from training.planning.rehearsal import Trial, planned_steps, try_out
from training.records.batching import Shape, shapes
from training.records.data import open_data
from training.records.encoding import Example

UTILISATION = 0.4
"""Share of a device's peak that training is taken to reach: what good trainers report for dense models (MFU)."""
MICRO_TOKENS = (16384, 8192, 4096, 2048, 1024)
"""Sizes of micro-batches that are tried on named hardware, the largest that fits is taken."""
LENDER = "smollm2-135m"
"""Whose tokenizer counts for a base that brings none."""
GIGA = 10**9


class Device(NamedTuple):
    """An accelerator, from its maker's data sheet."""

    memory: int
    """Bytes."""
    peak: float
    """Operations a second on dense matrices in bf16."""


DEVICES: Mapping[str, Device] = {
    "A100-40GB": Device(40 * GIGA, 312e12),
    "A100-80GB": Device(80 * GIGA, 312e12),
    "H100-80GB": Device(80 * GIGA, 989e12),
    "H200-141GB": Device(141 * GIGA, 989e12),
}
"""NVIDIA's data sheets of A100, H100 SXM and H200 SXM, without sparsity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A run on one device, or on each of several."""

    name: str
    optimiser: str
    recompute: str
    """Whether activations are computed again."""
    micro_tokens: int
    """Tokens computed at once."""
    padding_share: float
    footprint: Footprint
    """While it trains."""
    merging: int
    """Bytes while adapters are added to the base as it came; 0: nothing to speak of."""
    memory: int
    """Bytes that the device has; 0: unknown."""
    minutes: float
    """Of training, evaluation and loading apart; 0: it does not fit."""
    measured: bool
    """Whether the minutes come from a trial on the device itself."""

    @property
    def needs(self) -> int:
        """Bytes at most."""
        return max(self.footprint.total, self.merging)

    @property
    def when(self) -> str:
        """What it does when it needs most."""
        return "merging" if self.merging > self.footprint.total else "training"

    @property
    def trains(self) -> bool:
        """Whether there is memory enough for training."""
        return not self.memory or self.footprint.total <= self.memory

    @property
    def fits(self) -> bool:
        """Whether there is memory enough for all of it."""
        return not self.memory or self.needs <= self.memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What a run will take."""

    sizes: Sizes
    tokens: int
    """Real tokens over all epochs."""
    steps: int
    places: tuple[Place, ...]
    """This machine first."""
    peak: int
    """Bytes that a trial held at most, libraries included; 0: none was made."""
    written: int
    """Bytes of the checkpoint's weights."""
    copied: bool
    """Whether this machine has memory for a copy of a state, which is then written while training goes on."""
    counted_by: str
    """Whose tokenizer counted, where the base brings none; empty: its own."""


def rehearse(request: Request, aside: Aside = SILENT) -> tuple[Plan, Forecast]:
    """Return a request's plan and what it will take; where the base has weights, after a trial on this machine.

    A base may be a folder with nothing but `config.json`: tokens are then counted by another tokenizer, which is said.

    Raises:
        InputError: the data or the base cannot be used.
    """
    data, base = open_data(request.data), find_base(request.base, aside)
    lender = "" if not base.place.is_local or has_tokenizer(base) else LENDER
    plan = make_plan(request, data, base, tokenizer=load_tokenizer(find_base(lender, aside)) if lender else None)
    aside.progress("dry run", 0, 2)
    whole = plan.config.parallel != "sharded"
    trial = try_out(plan) if whole and not lender and base.place.is_local and has_weights(base) else None
    aside.progress("dry run", 1, 2)
    seen = forecast(plan, trial, lender)
    aside.progress("dry run", 2, 2)
    return plan, seen


def forecast(plan: Plan, trial: Trial | None = None, lender: str = "") -> Forecast:
    """Return what the run of a plan will take; on this machine minutes are known after a trial only."""
    taken = list(planned_steps(plan))
    model = meta_model(
        config_of(plan.base), padded_vocabulary(config_of(plan.base), len(plan.encoder.tokenizer)), plan.dtype
    )
    adapt(model, plan.config, plan.encoder.key_ids.values())
    size = sizes(model)
    devices = plan.request.devices
    here = _place("this machine", taken, model, plan.config, device_memory(plan.device), devices=devices)
    if plan.device.type == "cpu":
        here = replace(here, merging=merging(model, plan.config, beside=True))
    if trial:
        here = replace(here, minutes=here.minutes * trial.seconds_per_operation, measured=True)
    else:
        here = replace(here, minutes=0.0)
    model = model.to(torch.bfloat16)
    there = tuple(_there(name, device, taken, model, _open(plan), devices=devices) for name, device in DEVICES.items())
    tokens = sum(len(one.input_ids) for step in taken for one in step)
    return Forecast(
        sizes=size,
        tokens=tokens,
        steps=len(taken),
        places=(here, *there),
        peak=trial.peak if trial else 0,
        written=_written(size, plan.config) * plan.dtype.itemsize,
        copied=copies_fit(here.footprint, plan.config, plan.device, devices),
        counted_by=lender,
    )


def _there(
    name: str, device: Device, taken: Sequence[Sequence[Example]], model: Any, config: TrainConfig, *, devices: int
) -> Place:
    """Return the run on named hardware, most exact first, with the largest micro-batches that fit."""
    tried = (replace(one, micro_tokens=tokens) for one in choices(config, devices) for tokens in MICRO_TOKENS)
    best = _place(name, taken, model, next(tried), device.memory, devices=devices)
    while not best.trains and (other := next(tried, None)):
        best = _place(name, taken, model, other, device.memory, devices=devices)
    return replace(best, minutes=best.minutes / (device.peak * UTILISATION) if best.trains else 0.0)


def _place(
    name: str, taken: Sequence[Sequence[Example]], model: Any, config: TrainConfig, memory: int, *, devices: int
) -> Place:
    """Return a run on such devices; its minutes are still those of one operation a second on each."""
    cut = [one for examples in taken for one in shapes_of(examples, config)]
    real = sum(len(one.input_ids) for examples in taken for one in examples)
    size = sizes(model)
    return Place(
        name=name if devices == 1 else f"{devices} x {name}",
        optimiser=config.optimiser,
        recompute=config.recompute,
        micro_tokens=config.micro_tokens,
        padding_share=max(0.0, 1 - real / sum(one.padded_tokens for one in cut)),
        footprint=footprint(model, largest_of(cut), config, devices),
        merging=merging(model, config),
        memory=memory,
        minutes=sum(operations(size, one) for one in cut) / 60 / devices,
        measured=False,
    )


def shapes_of(examples: Sequence[Example], config: TrainConfig) -> Iterator[Shape]:
    """Yield the sizes of a step's micro-batches, of a model that can be packed if that was not refused."""
    return shapes(examples, tokens=config.micro_tokens, packed=config.packing != "off")


def _written(size: Sizes, config: TrainConfig) -> int:
    """Return how many numbers a checkpoint has: adapters are merged into what was frozen, or are all there is."""
    return (size.frozen or size.parameters) if config.merge else size.parameters - size.frozen


def _open(plan: Plan) -> TrainConfig:
    """Return the settings with what was left to the hardware left open again."""
    asked = plan.request.config
    return replace(plan.config, parallel=asked.parallel, optimiser=asked.optimiser, recompute=asked.recompute)
