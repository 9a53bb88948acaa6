"""Presets are what their authors published; a run says where it differs."""

import pytest

from schemas.errors import InputError
from schemas.prompt import TEMPLATES
from training.config import PRESETS, Difference, TrainConfig, differences, rows_held_out, settle, total_steps

FACTS = {"base": ("EleutherAI/gpt-j-6B", "EleutherAI/gpt-j-6B")}


def test_dolly_v1_is_dolly_v1() -> None:
    """Every value that decides the result, as read in its repository."""
    config = PRESETS["dolly-v1"].config

    assert (config.template, config.epochs, config.rows_per_step, config.max_tokens) == ("dolly-v1", 1, 64, 2048)
    assert (config.lr, config.schedule, config.warmup_steps, config.warmup_ratio) == (1e-5, "constant", 0, 0)
    assert (config.beta1, config.beta2, config.eps, config.weight_decay) == (0.9, 0.999, 1e-8, 0)
    assert (config.clip_norm, config.held_out_rows, config.seed) == (1.0, 1000, 42)


def test_the_defaults_are_dolly_v1s() -> None:
    """One source of defaults for the library and the command line."""
    assert TrainConfig() == PRESETS["dolly-v1"].config == settle("dolly-v1", {})


def test_dolly_v1_takes_its_797_steps() -> None:
    """On its 52,002 records less the thousand held out."""
    config = PRESETS["dolly-v1"].config

    held_out = rows_held_out(config, 52002)

    assert held_out == 1000
    assert total_steps(config, 52002 - held_out) == 797


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_names_its_source_and_a_template_that_exists(name: str) -> None:
    """A recipe without a source is a rumour."""
    preset = PRESETS[name]

    assert preset.name == name
    assert preset.source
    assert preset.config.template in TEMPLATES


def test_a_run_like_the_original_differs_only_on_purpose() -> None:
    """The list is what this trainer does differently whatever the settings."""
    preset = PRESETS["dolly-v1"]

    assert differences(preset, preset.config, FACTS) == preset.ours


def test_changed_settings_and_facts_are_differences() -> None:
    """Each with the original's value and ours."""
    preset = PRESETS["dolly-v1"]

    found = differences(preset, settle("dolly-v1", {"epochs": 3}), {"base": ("EleutherAI/gpt-j-6B", "tiny")})

    assert Difference("epochs", "1", "3") in found
    assert Difference("base", "EleutherAI/gpt-j-6B", "tiny") in found


def test_what_does_not_change_the_result_is_no_difference() -> None:
    """How many tokens are computed at once is this machine's business."""
    preset = PRESETS["dolly-v1"]

    assert differences(preset, settle("dolly-v1", {"micro_tokens": 128}), FACTS) == preset.ours


def test_a_preset_that_claims_nothing_differs_in_nothing() -> None:
    """The project's own preset was made for no model and no number of records."""
    preset = PRESETS["default"]

    assert differences(preset, preset.config, {"base": (preset.base, "tiny")}) == ()


@pytest.mark.parametrize(
    ("setting", "value"), [("epochs", 0), ("rows_per_step", 0), ("lr", -1.0), ("max_tokens", 1), ("warmup_ratio", 1.5)]
)
def test_a_value_that_cannot_be_meant_is_refused(setting: str, value: float) -> None:
    """Naming the setting, before anything is read."""
    with pytest.raises(InputError, match=setting):
        settle("dolly-v1", {setting: value})


def test_an_unknown_preset_is_refused() -> None:
    """Naming those that exist."""
    with pytest.raises(InputError, match="dolly-v1, dolly-v2"):
        settle("dolly-v3", {})


@pytest.mark.parametrize(("rows", "held_out"), [(1, 0), (79, 0), (80, 4), (200, 10), (20_000, 1000), (52_002, 1000)])
def test_at_most_five_percent_are_held_out_and_never_too_few(rows: int, held_out: int) -> None:
    """A loss over two records says nothing."""
    assert rows_held_out(TrainConfig(), rows) == held_out


def test_steps_are_bounded_when_asked() -> None:
    """By --steps, else by the epochs; the last step of an epoch takes what is left."""
    assert total_steps(TrainConfig(epochs=2, rows_per_step=10), 25) == 6
    assert total_steps(TrainConfig(epochs=2, rows_per_step=10, steps=4), 25) == 4
    assert total_steps(TrainConfig(rows_per_step=10, steps=400), 25) == 3
