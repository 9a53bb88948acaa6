"""What a run will do, worked out before its model is loaded: which records, how many tokens and steps, on what."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from schemas.errors import InputError
from schemas.outcome import SILENT, Aside, Rejection, reject
from schemas.prompt import TEMPLATES
from schemas.record import InstructionRecord, Reason
from training.checkpoint.checkpoint import SHARD_SIZE
from training.checkpoint.resume import CHOSEN
from training.config import KEPT, PRESETS, RECOMPUTED, Difference, TrainConfig, differences, rows_held_out, total_steps
from training.device import choose_device, choose_dtype
from training.model.adapter import check_adapters
from training.model.load import Base, config_of, context_tokens, load_tokenizer
from training.model.packing import Packed
from training.model.quantised import check_bits
from training.planning.fitting import device_memory, settled
from training.planning.soundness import check_base
from training.records.batching import suitable_tokens
from training.records.data import TrainingData, hold_out
from training.records.encoding import Encoder, Example, add_keys, encoder
from training.records.tokens import tokenized
from training.watch_config import WatchConfig

TOO_LONG, EMPTY = "record_too_long", "response_empty"
REASONS = {
    TOO_LONG: "Prompt, response and end key together are more tokens than the recipe or the model takes.",
    EMPTY: "The response is empty: there would be nothing to learn but to stop.",
}
"""Every reason code that training can give, in plain words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to train on what."""

    data: Path
    """A step directory or a release."""
    base: str
    """A path, an alias or a Hub id."""
    out: Path
    config: TrainConfig
    preset: str
    """The name of the preset that `config` came from."""
    devices: int = 1
    """That train together."""
    force: bool = False
    allow_ungated: bool = False
    """Train on a release whose review was not passed; the run record says so."""
    pin: str = ""
    """sha256 that the data's manifest must have; empty: any."""
    save_minutes: float = 10.0
    """Minutes between two savings of an unfinished run's state; 0: only when it is interrupted."""
    take_up: bool = False
    """Go on from the saved state of a run with another learning rate, schedule or precision."""
    watching: WatchConfig = field(default_factory=WatchConfig)
    shard_size: str = SHARD_SIZE
    """Largest file of the checkpoint's weights."""
    reload_check: bool = True
    """Read the checkpoint again before it is published, and compare its answers with the model's in memory."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that is not trained on."""

    rejection: Rejection
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run that can begin."""

    request: Request
    data: TrainingData
    base: Base
    encoder: Encoder
    known: int
    """Tokens that the tokenizer had before the keys were added."""
    config: TrainConfig
    """As it will be used."""
    examples: tuple[Example, ...]
    held_out: tuple[Example, ...]
    refused: tuple[Refused, ...]
    device: torch.device
    dtype: torch.dtype
    kept: tuple[Difference, ...] = ()
    """What this machine would choose otherwise than the saved state, from which the run goes on, has it."""

    @property
    def chosen(self) -> dict[str, str]:
        """The settings that decide what the state of a run is made of."""
        return {name: self.precision if name == "dtype" else str(getattr(self.config, name)) for name in CHOSEN}

    @property
    def tokens(self) -> int:
        """Tokens of one pass over the training records."""
        return sum(len(one.input_ids) for one in self.examples)

    @property
    def refused_share(self) -> float:
        """Share of all tokens that are in refused records."""
        refused = sum(one.tokens for one in self.refused)
        return refused / (self.tokens + sum(len(one.input_ids) for one in self.held_out) + refused)

    @property
    def steps(self) -> int:
        """Optimiser steps."""
        return total_steps(self.config, len(self.examples))

    @property
    def precision(self) -> str:
        """Of the model's weights, as the settings name it."""
        return "bf16" if self.dtype == torch.bfloat16 else "fp32"

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Where this run is not what its preset's authors did."""
        preset = PRESETS[self.request.preset]
        facts = {
            "base": (preset.base, self.base.place.name),
            "records": (str(preset.rows or ""), str(len(self.data.records))),
            "held-out records": (str(preset.config.held_out_rows) if preset.rows else "", str(len(self.held_out))),
            "precision": (preset.precision, self.precision),
            "hardware": (preset.hardware, f"{self.request.devices} {self.device.type}"),
            "activations": (preset.activations, RECOMPUTED if self.config.recompute == "on" else KEPT),
        }
        return (*differences(preset, self.config, facts), *self.kept)


def make_plan(
    request: Request, data: TrainingData, base: Base, *, tokenizer: Any = None, aside: Aside = SILENT
) -> Plan:
    """Tokenize the data and decide what is trained on, held out and refused; `tokenizer`: another than the base's.

    Raises:
        InputError: every record is refused, or the tokenizer cannot be read.
    """
    check_adapters(request.config)
    check_bits(request.config)
    tokenizer, template = tokenizer or load_tokenizer(base), TEMPLATES[request.config.template]
    check_base(base, tokenizer)
    known = len(tokenizer)
    add_keys(tokenizer, template)
    device = choose_device()
    dtype = choose_dtype(request.config.dtype, device)
    encode, config = encoder(tokenizer, template), _fitting(request.config, context_tokens(base), device)
    kept, refused = _sort(zip(data.records, tokenized(encode, data.records, aside), strict=True), config)
    if not kept:
        raise InputError(_none_left(data.path, refused))
    check_ends(kept, encode)
    examples, held_out = hold_out(kept, rows_held_out(config, len(kept)), config.seed)
    config = settled(
        config,
        examples,
        shape=config_of(base),
        vocabulary=len(tokenizer),
        dtype=dtype,
        memory=device_memory(device),
        devices=request.devices,
    )
    return Plan(
        request=request,
        data=data,
        base=base,
        encoder=encode,
        known=known,
        config=config,
        examples=tuple(examples),
        held_out=tuple(held_out),
        refused=tuple(refused),
        device=device,
        dtype=dtype,
    )


def check_ends(examples: Iterable[Example], encode: Encoder) -> None:
    """Make sure that a model can learn to stop: every record's last label is the end token, which is not the padding.

    Raises:
        InputError: it is not; a model tuned on that never stops.
    """
    if encode.tokenizer.pad_token_id in {None, encode.end_id}:
        found = f"{encode.tokenizer.pad_token_id}, the end token {encode.end_id}"
        raise InputError(field="pad_token", expected="a token that is not the end of a response", found=found)
    for one in examples:
        if one.labels[-1] != encode.end_id:
            expected = f"the end token {encode.end_id} as its last label"
            raise InputError(place=f"record {one.id}", expected=expected, found=str(one.labels[-1]))


def as_packed(plan: Plan, packing: Packed) -> TrainConfig:
    """Return a run's settings once it is known whether its model can be packed; the plan supposes that it can."""
    tokens = plan.request.config.micro_tokens or suitable_tokens(plan.device, packed=packing.used)
    return replace(plan.config, micro_tokens=tokens)


def _fitting(config: TrainConfig, context: int | None, device: torch.device) -> TrainConfig:
    """Fit the settings to the longest text the model reads and to the hardware."""
    return replace(
        config,
        max_tokens=min(config.max_tokens, context or config.max_tokens),
        micro_tokens=config.micro_tokens or suitable_tokens(device, packed=config.packing != "off"),
    )


def _sort(
    pairs: Iterable[tuple[InstructionRecord, Example]], config: TrainConfig
) -> tuple[list[Example], list[Refused]]:
    kept, refused = [], []
    for record, example in pairs:
        reasons = tuple(_against(record, example, config))
        if reasons:
            refused.append(Refused(reject(record, *reasons), len(example.input_ids)))
        else:
            kept.append(example)
    return kept, refused


def _against(record: InstructionRecord, example: Example, config: TrainConfig) -> Iterator[Reason]:
    tokens = len(example.input_ids)
    if tokens > config.max_tokens:
        yield Reason(code=TOO_LONG, found=f"{tokens} tokens", limit=f"{config.max_tokens} tokens")
    if not record.response.strip():
        yield Reason(code=EMPTY, field="response", found=repr(record.response), limit="a text")


def _none_left(path: Path, refused: list[Refused]) -> str:
    shortest = min(one.tokens for one in refused)
    return (
        f"{path}: none of its {len(refused)} records can be trained on; the shortest has {shortest} tokens. "
        f"First: {refused[0].rejection.id}: {refused[0].rejection.reasons[0].code}, "
        f"{refused[0].rejection.reasons[0].found}, limit {refused[0].rejection.reasons[0].limit}"
    )
