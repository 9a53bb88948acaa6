"""The recipes as tables: every value, where it was read, and what this trainer does differently on purpose."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields

import orjson

from training.config import Preset, TrainConfig

_HERE = "this trainer"
_LIBRARY = "the library's default"
_DEEPSPEED = "ds_z3_bf16_config.json"
_DOLLY = {
    "template": "consts.py",
    "rows_per_step": "trainer.py: 8 a device, 8 devices, no accumulation",
    "max_tokens": "trainer.py: what the model reads",
    "lr": "trainer.py",
    "schedule": f"{_DEEPSPEED}: WarmupLR",
    "warmup_steps": f"{_DEEPSPEED}: auto, which is 0",
    "beta1": f"{_DEEPSPEED}: auto, {_LIBRARY}",
    "beta2": f"{_DEEPSPEED}: auto, {_LIBRARY}",
    "eps": f"{_DEEPSPEED}: auto, {_LIBRARY}",
    "weight_decay": f"{_DEEPSPEED}: auto, {_LIBRARY}",
    "clip_norm": f"{_DEEPSPEED}: auto, {_LIBRARY}",
    "held_out_rows": "trainer.py: test_size",
    "seed": "trainer.py",
    "dtype": f"{_DEEPSPEED}: bf16",
}
SOURCES: Mapping[str, Mapping[str, str]] = {
    "dolly-v1": _DOLLY | {"epochs": "the announcement: 30 minutes; the published weights had 10"},
    "dolly-v2": _DOLLY
    | {
        "epochs": "the published weights' model card",
        "rows_per_step": "train_dolly.py: 6 an A100, 8 of them",
        "warmup_steps": "train_dolly.py",
    },
    "alpaca": {
        **dict.fromkeys(("epochs", "lr", "schedule", "warmup_ratio", "weight_decay", "dtype"), "README.md"),
        **dict.fromkeys(("beta1", "beta2", "eps", "clip_norm", "seed"), f"train.py: {_LIBRARY}"),
        "template": "train.py",
        "rows_per_step": "README.md: 4 a device, 4 devices, 8 accumulated",
        "max_tokens": "train.py: model_max_length",
        "held_out_rows": "README.md: no evaluation",
    },
    "default": {one.name: "this project" for one in fields(TrainConfig)},
}
"""Preset → setting → where its value was read; what is missing is this trainer's own, and neutral."""


def list_text(presets: Sequence[Preset]) -> str:
    """Return the recipes, one a line."""
    rows = [("preset", "base", "records", "epochs", "rows a step", "rate", "schedule", "prompt")]
    for one in presets:
        config = one.config
        rows.append(
            (
                one.name,
                one.base or "any",
                f"{one.rows:,}" if one.rows else "any",
                str(config.epochs),
                str(config.rows_per_step),
                f"{config.lr:g}",
                config.schedule,
                config.template,
            )
        )
    return "\n".join([*_table(rows), "every value, its source and what differs: dolly-train presets NAME"])


def preset_text(preset: Preset) -> str:
    """Return one recipe, value by value."""
    sources = SOURCES[preset.name]
    made_for = [preset.base, f"{preset.rows:,} records" if preset.rows else "", preset.hardware, preset.precision]
    lines = [f"{preset.name}: {preset.source}"]
    if preset.base:
        lines.append(f"made for {', '.join(filter(None, made_for))}")
    values = [
        (one.name, str(getattr(preset.config, one.name)), sources.get(one.name, _HERE)) for one in fields(TrainConfig)
    ]
    lines += _table([("setting", "value", "read in"), *values])
    if preset.ours:
        ours = [(one.setting, one.original, one.here) for one in preset.ours]
        lines += ["", "different here on purpose:", *_table([("", "original", "here"), *ours])]
    return "\n".join(lines)


def preset_json(preset: Preset) -> str:
    """Return one recipe as a JSON line."""
    return orjson.dumps({"event": "preset", **asdict(preset), "sources": SOURCES[preset.name]}).decode()


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
