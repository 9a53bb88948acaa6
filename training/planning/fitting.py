"""Settings that were left to the hardware: the most exact optimiser, and activations kept, where memory is enough."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import torch

from schemas.errors import InputError
from training.config import OptimiserName, Parallel, Recompute, TrainConfig
from training.memory import all_memory
from training.model.adapter import adapt
from training.model.load import VOCABULARY_MULTIPLE
from training.planning.footprint import Footprint, footprint, meta_model
from training.records.batching import Shape, shapes, steps
from training.records.encoding import Example

CHOICES: Sequence[tuple[Parallel, OptimiserName, Recompute]] = (
    ("replicas", "adamw", "off"),
    ("replicas", "adamw", "on"),
    ("sharded", "adamw", "off"),
    ("sharded", "adamw", "on"),
    ("sharded", "adamw-8bit", "on"),
    ("replicas", "adamw-8bit", "on"),
    ("replicas", "adamw-bf16", "on"),
)
"""What is tried, in this order: time is given up before exactness."""
USABLE = 0.9
"""Share of a device's memory that a run is given."""
KEYS = 3
"""Rows of a table that a run with adapters trains: the most that a template has."""
LIBRARIES = 10**9
"""Bytes that are taken before anything is trained: libraries, and what the allocator cannot use."""


def settled(
    config: TrainConfig,
    examples: Sequence[Example],
    *,
    shape: Any,
    vocabulary: int,
    dtype: torch.dtype,
    memory: int,
    devices: int = 1,
) -> TrainConfig:
    """Return the settings with nothing left open; what needs least where nothing fits.

    `shape` is the base's configuration, `vocabulary` the tokens that it must have rows for, `memory` the device's in
    bytes.

    Raises:
        InputError: the model is to be divided, and cannot be.
    """
    if config.parallel == "sharded" and (obstacle := undivided_by(config, devices)):
        raise InputError(field="parallel", expected="replicas, or auto", found=f"sharded with {obstacle}")
    tried = choices(config, devices)
    if len(tried) == 1:
        return tried[0]
    model = meta_model(shape, padded_vocabulary(shape, vocabulary), dtype)
    adapt(model, config, range(KEYS))
    taken = steps(examples, rows=config.rows_per_step, epochs=config.epochs, seed=config.seed)
    packed = config.packing != "off"
    largest = largest_of(one for step in taken for one in shapes(step, tokens=config.micro_tokens, packed=packed))
    room = memory * USABLE - LIBRARIES
    return next((one for one in tried if footprint(model, largest, one, devices).total <= room), tried[-1])


def choices(config: TrainConfig, devices: int = 1) -> list[TrainConfig]:
    """Return the settings to try on each of so many devices; what the user chose is not tried otherwise."""
    tried = (
        replace(
            config,
            parallel=parallel if config.parallel == "auto" else config.parallel,
            optimiser=optimiser if config.optimiser == "auto" else config.optimiser,
            recompute=recompute if config.recompute == "auto" else config.recompute,
        )
        for parallel, optimiser, recompute in CHOICES
    )
    return [one for one in dict.fromkeys(tried) if one.parallel == "replicas" or not undivided_by(one, devices)]


def undivided_by(config: TrainConfig, devices: int) -> str:
    """Say what keeps a model from being divided among devices, or nothing."""
    if devices == 1:
        return "one device"
    if config.lora_rank:
        return "adapters (--lora-rank), of which every device has room for all"
    return "--optimiser adamw-bf16; the parts are fp32" if config.optimiser == "adamw-bf16" else ""


def largest_of(cut: Iterable[Shape]) -> Shape:
    """Return the micro-batch that needs most."""
    return max(cut, key=lambda one: (one.padded_tokens * one.length, one.supervised))


def padded_vocabulary(shape: Any, tokens: int) -> int:
    """Return the rows of the embedding, with room for this many tokens."""
    most = max(tokens, int(shape.get_text_config().vocab_size))
    return -(-most // VOCABULARY_MULTIPLE) * VOCABULARY_MULTIPLE


def copies_fit(one: Footprint, config: TrainConfig, device: torch.device, devices: int = 1) -> bool:
    """Say whether this machine has memory for copies of what its devices save, beside what training holds there."""
    held = one.total * devices if device.type == "cpu" else 0
    copies = one.copy * (devices if config.parallel == "sharded" else 1)
    return held + copies <= all_memory() * USABLE - LIBRARIES


def device_memory(device: torch.device) -> int:
    """Return the bytes that a device has."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    return all_memory()
