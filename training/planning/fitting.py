"""Settings that were left to the hardware: the most exact optimiser, and activations kept, where memory is enough."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import torch

from training.config import OptimiserName, Recompute, TrainConfig
from training.model.adapter import adapt
from training.model.load import VOCABULARY_MULTIPLE
from training.planning.footprint import footprint, meta_model
from training.records.batching import Shape, shapes, steps
from training.records.encoding import Example

CHOICES: Sequence[tuple[OptimiserName, Recompute]] = (
    ("adamw", "off"),
    ("adamw", "on"),
    ("adamw-8bit", "on"),
    ("adamw-bf16", "on"),
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
) -> TrainConfig:
    """Return the settings with nothing left open; what needs least where nothing fits.

    `shape` is the base's configuration, `vocabulary` the tokens that it must have rows for, `memory` the device's in
    bytes.
    """
    if "auto" not in (config.optimiser, config.recompute):
        return config
    model = meta_model(shape, padded_vocabulary(shape, vocabulary), dtype)
    adapt(model, config, range(KEYS))
    taken = steps(examples, rows=config.rows_per_step, epochs=config.epochs, seed=config.seed)
    largest = largest_of(one for step in taken for one in shapes(step, tokens=config.micro_tokens))
    tried = choices(config)
    room = memory * USABLE - LIBRARIES
    return next((one for one in tried if footprint(model, largest, one).total <= room), tried[-1])


def choices(config: TrainConfig) -> list[TrainConfig]:
    """Return the settings to try; what the user chose is not tried otherwise."""
    tried = (
        replace(
            config,
            optimiser=optimiser if config.optimiser == "auto" else config.optimiser,
            recompute=recompute if config.recompute == "auto" else config.recompute,
        )
        for optimiser, recompute in CHOICES
    )
    return list(dict.fromkeys(tried))


def largest_of(cut: Iterable[Shape]) -> Shape:
    """Return the micro-batch that needs most."""
    return max(cut, key=lambda one: (one.padded_tokens * one.length, one.supervised))


def padded_vocabulary(shape: Any, tokens: int) -> int:
    """Return the rows of the embedding, with room for this many tokens."""
    most = max(tokens, int(shape.get_text_config().vocab_size))
    return -(-most // VOCABULARY_MULTIPLE) * VOCABULARY_MULTIPLE


def device_memory(device: torch.device) -> int:
    """Return the bytes that a device has."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
