"""The settings of a run, and the recipes they come from, value by value.

A preset is what its authors published; `differences` says where a run cannot or does not hold to it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from schemas.errors import InputError

Schedule = Literal["constant", "linear", "cosine"]
Precision = Literal["auto", "bf16", "fp32"]
Packing = Literal["auto", "on", "off"]
OptimiserName = Literal["auto", "adamw", "adamw-8bit", "adamw-bf16"]
Recompute = Literal["auto", "off", "on"]
Parallel = Literal["auto", "replicas", "sharded"]

RECOMPUTED, KEPT = "computed again in the backward pass", "kept; the same result"
"""What becomes of activations."""
HELD_OUT_SHARE = 0.05
"""Largest share of the records that is held out."""
HELD_OUT_FEWEST = 4
"""Records below which a held-out loss says nothing and none are held out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """What decides the result of a run; the defaults are Dolly v1's."""

    template: str = "dolly-v1"
    """Name of the prompt template, one of `schemas.prompt.TEMPLATES`."""
    epochs: int = 1
    """Passes over the records."""
    steps: int = 0
    """Optimiser steps after which to stop, whatever `epochs` says; 0: no such limit."""
    rows_per_step: int = 64
    """Records per optimiser step."""
    max_tokens: int = 2048
    """Tokens a record may have, prompt, response and end key together; longer records are rejected, never cut."""
    lr: float = 1e-5
    """Peak learning rate."""
    schedule: Schedule = "constant"
    """Course of the learning rate after its warm-up; linear and cosine end at 0."""
    warmup_steps: int = 0
    """Steps over which the learning rate rises from 0."""
    warmup_ratio: float = 0.0
    """The same as a share of all steps; the larger of the two counts."""
    beta1: float = 0.9
    """AdamW's decay of the mean gradient, per step."""
    beta2: float = 0.999
    """AdamW's decay of the mean squared gradient, per step."""
    eps: float = 1e-8
    """AdamW's term that keeps the denominator from 0."""
    weight_decay: float = 0.0
    """AdamW's decay of the weights, per step and learning rate."""
    clip_norm: float = 1.0
    """Largest norm of a step's gradient; 0: not clipped."""
    held_out_rows: int = 1000
    """Records kept from training to measure the loss on; at most 5 % of the records, and none if that is under 4."""
    seed: int = 42
    """Of the order, the split, and whatever the model draws."""
    dtype: Precision = "auto"
    """Of the weights in the model; auto: bf16 where the processor computes in it."""
    optimiser: OptimiserName = "adamw"
    """How AdamW holds weights and moments; auto: the most exact that the device has memory for."""
    recompute: Recompute = field(default="auto", metadata={"identity": False})
    """Whether activations are computed again in the backward pass, layer by layer; auto: where memory is short."""
    micro_tokens: int = field(default=0, metadata={"identity": False})
    """Padded tokens that are computed at once; fewer need less memory and padding; 0: what suits the hardware."""

    packing: Packing = field(default="auto", metadata={"identity": False})
    """Several records in a row without padding, none of which sees another; auto: where the model passes the test."""
    parallel: Parallel = field(default="auto", metadata={"identity": False})
    """What each of several devices has: the whole model, or a part of every weight; auto: the whole, where it fits."""
    lora_rank: int = 0
    """Rank of the low-rank adapters that are trained instead of the weights; 0: the weights are."""
    lora_alpha: float = 32.0
    """What an adapter adds is multiplied by this over its rank."""
    lora_dropout: float = 0.0
    """Share of an adapter's inputs that is dropped at random in training."""
    lora_targets: str = "all-linear"
    """Linear layers that get adapters: all but the head, or the ends of their names with commas between."""
    base_bits: int = 0
    """Bits of a frozen weight under adapters, 4; 0: as `dtype` says."""
    merge: bool = True
    """Whether adapters are added to the weights after training; otherwise they are written alone, in peft's format."""

    @property
    def name(self) -> str:
        """The stage's name in a manifest."""
        return "fit"

    def __post_init__(self) -> None:
        """Refuse values that cannot be meant."""
        for name, lowest in _LOWEST.items():
            if getattr(self, name) < lowest:
                raise InputError(field=name, expected=f"at least {lowest}", found=str(getattr(self, name)))
        for name, highest in _HIGHEST.items():
            if getattr(self, name) > highest:
                raise InputError(field=name, expected=f"at most {highest}", found=str(getattr(self, name)))


_LOWEST: Mapping[str, float] = {
    "epochs": 1, "steps": 0, "rows_per_step": 1, "max_tokens": 8, "lr": 0.0, "warmup_steps": 0, "warmup_ratio": 0.0,
    "beta1": 0.0, "beta2": 0.0, "eps": 0.0, "weight_decay": 0.0, "clip_norm": 0.0, "held_out_rows": 0,
    "micro_tokens": 0, "lora_rank": 0, "lora_alpha": 0.0, "lora_dropout": 0.0, "base_bits": 0,
}  # fmt: skip
_HIGHEST: Mapping[str, float] = {"warmup_ratio": 1.0, "beta1": 1.0, "beta2": 1.0, "lora_dropout": 0.9}


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a run is not what its preset's authors did."""

    setting: str
    original: str
    here: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A published recipe."""

    name: str
    source: str
    """Where its values were read."""
    base: str
    """The model it was made for; empty: none in particular."""
    rows: int
    """Records it was made for; 0: no number in particular."""
    hardware: str
    precision: str
    """What its model computed in; empty: whatever the hardware is good at."""
    activations: str = ""
    """What became of its activations; empty: no claim."""
    config: TrainConfig
    ours: tuple[Difference, ...] = ()
    """What this trainer does differently on purpose, whatever the settings."""


_KEYS = Difference(
    "rows of new tokens", "as the library initialises them", "the mean of the others; the end key as the model's own"
)
_VOCABULARY = Difference("vocabulary", "as large as the tokenizer", "padded to a multiple of 64")
_OVERLONG = Difference("records over max_tokens", "cut", "rejected and listed")
_PAD = Difference("pad token", "the end-of-text token", "never the token that ends a response")
_BATCHES = Difference("batches", "in random order", "each step's records sorted by length; the same sum")

_PRESETS = (
    Preset(
        name="dolly-v1",
        source="databrickslabs/dolly f9fc005…e950ab3 (March 2023): trainer.py, consts.py, ds_z3_bf16_config.json",
        base="EleutherAI/gpt-j-6B",
        rows=52002,
        hardware="8 A100-40GB, DeepSpeed ZeRO-3",
        precision="bf16",
        activations=RECOMPUTED,
        config=TrainConfig(),
        ours=(
            _KEYS,
            _VOCABULARY,
            _OVERLONG,
            _BATCHES,
            _PAD,
            Difference("held-out records", "drawn by the datasets library", "drawn by the seed alone, others"),
            Difference("held-out loss", "every 10 to 100 steps", "before, after, and in 5 % of the time between"),
            Difference("weights written", "of the lowest held-out loss", "of the last step"),
        ),
    ),
    Preset(
        name="dolly-v2",
        source="databrickslabs/dolly 905e58a (April 2023): trainer.py, consts.py; rows per step of its 8 A100",
        base="EleutherAI/pythia-12b",
        rows=15011,
        hardware="8 A100, DeepSpeed ZeRO-3",
        precision="bf16",
        activations=RECOMPUTED,
        config=TrainConfig(template="dolly-v2", epochs=2, rows_per_step=48, lr=5e-6, warmup_steps=50),
        ours=(_KEYS, _VOCABULARY, _BATCHES, _PAD),
    ),
    Preset(
        name="alpaca",
        source="tatsu-lab/stanford_alpaca (March 2023): README.md, train.py",
        base="LLaMA-7B",
        rows=52002,
        hardware="4 A100-80GB, FSDP",
        precision="bf16",
        config=TrainConfig(
            template="alpaca",
            epochs=3,
            rows_per_step=128,
            max_tokens=512,
            lr=2e-5,
            schedule="cosine",
            warmup_ratio=0.03,
            held_out_rows=0,
        ),
        ours=(_VOCABULARY, _OVERLONG, _BATCHES),
    ),
    Preset(
        name="default",
        source="this project: a few hundred to a few thousand records on a model of 0.1 to 1 billion parameters",
        base="",
        rows=0,
        hardware="",
        precision="",
        config=TrainConfig(
            epochs=3,
            rows_per_step=16,
            max_tokens=1024,
            lr=2e-4,
            schedule="cosine",
            warmup_ratio=0.1,
            optimiser="auto",
        ),
    ),
)

FREE = frozenset({
    "epochs", "steps", "lr", "schedule", "warmup_steps", "warmup_ratio", "beta1", "beta2", "eps", "weight_decay",
    "clip_norm", "dtype", "micro_tokens", "merge",
})  # fmt: skip
"""Settings that may change in the middle of a run: they do not decide which record comes at which step."""

PRESETS: Mapping[str, Preset] = {preset.name: preset for preset in _PRESETS}


def settle(preset: str, changes: Mapping[str, Any]) -> TrainConfig:
    """Return the settings of a run: the preset's, with what the user changed.

    Raises:
        InputError: no such preset, or a value that cannot be meant.
    """
    if preset not in PRESETS:
        raise InputError(field="preset", expected=f"one of {', '.join(PRESETS)}", found=preset)
    return replace(PRESETS[preset].config, **changes)


def differences(preset: Preset, config: TrainConfig, facts: Mapping[str, tuple[str, str]]) -> tuple[Difference, ...]:
    """Return where a run differs from its preset's original.

    `facts` holds what only the run knows: name → (original, here); an empty original is no claim.
    """
    found = (Difference(name, *pair) for name, pair in facts.items() if pair[0] not in ("", pair[1]))
    return (*_changed(preset.config, config), *found, *preset.ours)


def _changed(original: TrainConfig, here: TrainConfig) -> Iterator[Difference]:
    for one in fields(TrainConfig):
        before, now = getattr(original, one.name), getattr(here, one.name)
        if before not in (now, "auto") and one.metadata.get("identity", True):
            yield Difference(one.name, str(before), str(now))


def rows_held_out(config: TrainConfig, rows: int) -> int:
    """Return how many of `rows` records are held out."""
    most = min(config.held_out_rows, int(rows * HELD_OUT_SHARE))
    return most if most >= HELD_OUT_FEWEST else 0


def total_steps(config: TrainConfig, rows: int) -> int:
    """Return the optimiser steps of a run over `rows` training records."""
    whole = config.epochs * -(-rows // config.rows_per_step)
    return min(whole, config.steps) if config.steps else whole
