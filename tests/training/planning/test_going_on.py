"""A run goes on with the optimiser and the precision of its saved state, whatever this machine would choose now."""

import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from schemas.errors import InputError, StoppedError
from training.checkpoint.checkpoint import read_run
from training.config import settle
from training.fit import fit
from training.planning import plan as planning
from training.planning.plan import Request
from training.watch_config import WatchConfig

LITTLE, MUCH = 1, 1 << 40
"""Bytes of a device in which nothing fits, and everything."""


class Stop:
    """An aside that sends this process a signal after two steps, as somebody else might."""

    def leave(self, name: str, row: Any) -> None:
        """Send it."""
        if name == "log" and row["step"] == 2:
            signal.raise_signal(signal.SIGTERM)

    def progress(self, what: str, done: int, total: int | None = None, note: str = "") -> None:
        """Say nothing."""


@pytest.fixture
def begun(tmp_path: Path, colours: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Request:
    """A request whose run was stopped after two steps, on a machine with enough memory for fp32 moments."""
    config = settle("default", {"steps": 4, "rows_per_step": 4, "dtype": "fp32"})
    request = Request(
        data=colours, base=str(tiny), out=tmp_path / "out", config=config, preset="default",
        watching=WatchConfig(sample_tokens=0),
    )  # fmt: skip
    memory(monkeypatch, MUCH)
    with pytest.raises(StoppedError):
        fit(request, Stop())
    return request


def memory(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Have the device of a plan be of this size."""
    monkeypatch.setattr(planning, "device_memory", lambda _: size)


def test_what_was_left_to_the_machine_stays_as_the_state_has_it(
    begun: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends in the bytes of a run that never stopped, and both the plan and the record say what was kept."""
    whole = fit(replace(begun, out=tmp_path / "whole")).path
    memory(monkeypatch, LITTLE)
    plans: list[planning.Plan] = []

    out = fit(begun, announce=plans.append).path

    said = "adamw-bf16, by what this machine has now"
    assert (out / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    assert [(one.setting, one.original, one.here) for one in plans[0].kept] == [
        ("optimiser", said, "adamw, as in the saved state")
    ]
    assert set(plans[0].kept) <= set(read_run(out).differences)
    assert read_run(out).settings["optimiser"] == "adamw"


def test_the_same_machine_keeps_nothing_on_purpose(begun: Request) -> None:
    """It would choose the same again, and nothing is said."""
    plans: list[planning.Plan] = []
    fit(begun, announce=plans.append)

    assert plans[0].kept == ()


@pytest.mark.parametrize("take_up", [False, True])
def test_another_optimiser_by_name_is_refused(begun: Request, *, take_up: bool) -> None:
    """Both are named, before anything is loaded; --take-up does not help, because its moments are others."""
    other = replace(begun, config=replace(begun.config, optimiser="adamw-8bit"), take_up=take_up)

    with pytest.raises(InputError, match=r"optimiser: expected adamw, as when .* --force, .* found adamw-8bit"):
        fit(other)


def test_the_same_optimiser_by_name_is_another_run_that_may_take_it_up(begun: Request) -> None:
    """Its settings are not the ones that were asked for before, but they come to the same."""
    named = replace(begun, config=replace(begun.config, optimiser="adamw"))
    with pytest.raises(InputError, match="or --take-up"):
        fit(named)

    run = fit(replace(named, take_up=True)).run

    assert any("steps 1 to 2" in one.setting for one in run.differences)


def test_precision_stays_as_the_state_has_it_too(begun: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    """A state in bf16 goes on in bf16 where the processor would now take fp32, and the other way."""
    force = replace(begun, config=replace(begun.config, dtype="auto"), force=True)
    monkeypatch.setattr(planning, "choose_dtype", lambda *_: torch.bfloat16)
    with pytest.raises(StoppedError):
        fit(force, Stop())
    monkeypatch.setattr(planning, "choose_dtype", lambda *_: torch.float32)

    run = fit(replace(force, force=False)).run

    assert (run.dtype, run.settings["dtype"]) == ("bf16", "bf16")
    assert [one.here for one in run.differences if one.setting == "dtype"] == ["bf16, as in the saved state"]


def test_weights_in_bf16_go_on_in_fp32_and_not_the_other_way(begun: Request) -> None:
    """With --take-up: that helps against a loss that runs away; a state in fp32 is refused in bf16."""
    narrower = replace(begun, config=replace(begun.config, dtype="bf16"), take_up=True)
    with pytest.raises(InputError, match=r"dtype: expected fp32, as when the state was saved.*found bf16"):
        fit(narrower)
    narrow = replace(begun, config=replace(begun.config, dtype="bf16"), force=True)
    with pytest.raises(StoppedError):
        fit(narrow, Stop())

    run = fit(replace(begun, take_up=True)).run

    assert run.dtype == "fp32"
