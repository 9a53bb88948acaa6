"""Every value of a recipe is shown with its source; heavy packages are not needed for that."""

import json
from dataclasses import asdict, fields

import pytest

from tests.training.test_cli import imported_by, run
from training.config import PRESETS, TrainConfig
from training.show.presets import SOURCES


@pytest.mark.parametrize("name", PRESETS)
def test_a_recipe_is_shown_value_by_value(name: str) -> None:
    """As it is in the preset, and all of what differs."""
    done = run("presets", name)

    lines = [line.split() for line in done.stdout.splitlines()]
    for one in fields(TrainConfig):
        assert [one.name, str(getattr(PRESETS[name].config, one.name))] in [words[:2] for words in lines]
    for difference in PRESETS[name].ours:
        assert difference.here in done.stdout


def test_all_recipes_are_listed() -> None:
    """One a line."""
    done = run("presets")

    assert [line.split()[0] for line in done.stdout.splitlines()[1:-1]] == list(PRESETS)


def test_recipes_are_json_too() -> None:
    """For programs."""
    (row,) = [json.loads(line) for line in run("presets", "alpaca", "--json").stdout.splitlines()]

    assert row["config"] == asdict(PRESETS["alpaca"].config)
    assert row["sources"]["lr"] == "README.md"


def test_what_a_recipe_sets_has_a_source() -> None:
    """A value that is not the trainer's neutral one was read somewhere."""
    adapters = {"lora_rank", "lora_alpha", "lora_dropout", "lora_targets", "base_bits", "merge"}
    neutral = adapters | {
        "steps",
        "micro_tokens",
        "packing",
        "parallel",
        "optimiser",
        "recompute",
        "warmup_steps",
        "warmup_ratio",
    }
    for name, preset in PRESETS.items():
        unknown = {one.name for one in fields(TrainConfig)} - set(SOURCES[name])

        assert unknown <= neutral
        assert all(getattr(preset.config, one) in {0, "auto", "adamw", "off"} for one in unknown - adapters)
        assert preset.config.lora_rank == 0


def test_showing_recipes_imports_nothing_heavy() -> None:
    """It answers at once."""
    assert imported_by("from training.cli import main; main(['presets', 'dolly-v1'])") == set()
