"""A run that was stopped goes on where it stopped, and ends in the same bytes."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import torch
from click.testing import CliRunner

from schemas.errors import DollyError, InputError, StoppedError
from schemas.prompt import TEMPLATES
from tests.support import ROOT, pair
from tests.training.tiny import tiny_model, tiny_tokenizer
from training.checkpoint import saved
from training.checkpoint.resume import Keeper, TakenUp, resume_beside
from training.checkpoint.saved import COMPLETED, STATE
from training.checkpoint.signals import heeding_signals
from training.cli import main
from training.config import OptimiserName, TrainConfig
from training.records.encoding import Example, add_keys, encoder
from training.step.loop import train

CONFIG = TrainConfig(rows_per_step=2, epochs=4, lr=1e-3, held_out_rows=0)
"""Sixteen steps over eight records."""


def examples() -> list[Example]:
    """Return eight short examples."""
    tokenizer, template = tiny_tokenizer(), TEMPLATES["dolly-v1"]
    add_keys(tokenizer, template)
    records = [pair(f"Name the colour of thing {at}.", f"It is colour {at}.") for at in range(8)]
    return list(encoder(tokenizer, template).examples(records))


def fresh(kind: str = "gpt2", dtype: torch.dtype = torch.float32) -> Any:
    """Return a tiny model; GPT-2's draws random numbers in training (dropout)."""
    return tiny_model(kind, vocabulary=448).to(dtype)


def keeper(folder: Path, **changes: Any) -> Keeper:
    """Return a keeper that saves after every step."""
    return Keeper(**{"folder": folder, "run": "this", "every_s": 1e-9, **changes})


class StopAfter:
    """An aside that has a signal come after some steps, and remembers which steps were logged."""

    def __init__(self, keeper: Keeper, steps: int = 0) -> None:
        self.keeper, self.left = keeper, steps
        self.logged: list[int] = []

    def leave(self, name: str, row: Any) -> None:
        """Count down."""
        self.logged.append(row["step"])
        self.left -= 1
        self.keeper.told = self.keeper.told or self.left == 0

    def progress(self, what: str, done: int, total: int | None = None, note: str = "") -> None:
        """Say nothing."""


def stop(folder: Path, steps: int, dtype: torch.dtype = torch.float32, config: TrainConfig = CONFIG) -> None:
    """Train until a signal comes after some steps."""
    stopped = keeper(folder, every_s=0)
    with pytest.raises(StoppedError, match=f"after step {steps}; the same command"):
        train(fresh(dtype=dtype), examples(), config, pad_id=2, aside=StopAfter(stopped, steps), keeper=stopped)


def go_on(folder: Path, **changes: Any) -> StopAfter:
    """Train to the end; returns what was logged."""
    noting = StopAfter(keeper(folder, **changes))
    train(fresh(), examples(), CONFIG, pad_id=2, aside=noting, keeper=noting.keeper)
    return noting


def weights(model: Any) -> dict[str, bytes]:
    """Return a model's weights as bytes."""
    return {name: one.float().numpy().tobytes() for name, one in model.state_dict().items()}


@pytest.mark.parametrize("optimiser", ["adamw", "adamw-8bit", "adamw-bf16"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_run_that_is_stopped_anywhere_ends_in_the_same_bytes(
    tmp_path: Path, dtype: torch.dtype, optimiser: OptimiserName
) -> None:
    """Weights, state, schedule, generators and order go on: dropout included, stochastic rounding included."""
    config = replace(CONFIG, optimiser=optimiser)
    whole = fresh(dtype=dtype)
    train(whole, examples(), config, pad_id=2)
    for steps in (1, 5, 15) if optimiser == "adamw" else (5,):
        folder = tmp_path / str(steps)
        stop(folder, steps, dtype, config)
        torch.manual_seed(99)  # another process would draw other numbers
        again = fresh(dtype=dtype)
        trained = train(again, examples(), config, pad_id=2, keeper=keeper(folder))

        assert weights(again) == weights(whole)
        assert trained.steps == 16


def test_the_log_of_a_resumed_run_is_whole(tmp_path: Path) -> None:
    """Rows from before the stop are written again, once each."""
    stop(tmp_path, 6)

    assert go_on(tmp_path).logged == list(range(1, 17))


def newest(folder: Path) -> int:
    """Return after how many steps a run would go on."""
    return saved.step_of(saved.newest(folder))


def test_a_damaged_state_is_not_believed(tmp_path: Path) -> None:
    """A changed byte, a missing marker, a folder that was never renamed: the run begins anew."""
    stop(tmp_path, 3)
    (folder,) = tmp_path.iterdir()
    state, marker = (folder / STATE).read_bytes(), (folder / COMPLETED).read_bytes()
    believed = [newest(tmp_path)]
    (folder / STATE).write_bytes(state[:-1] + bytes([state[-1] ^ 1]))
    believed.append(newest(tmp_path))
    (folder / STATE).write_bytes(state)
    (folder / COMPLETED).write_bytes(marker[:-3])
    believed.append(newest(tmp_path))
    (folder / COMPLETED).write_bytes(marker)
    folder.rename(tmp_path / ".step-000003.writing")
    believed.append(newest(tmp_path))

    assert believed == [3, 0, 0, 0]


def test_another_run_s_state_is_not_taken_up(tmp_path: Path) -> None:
    """Other data, another base or other settings: an error that says what to do, before anything is trained."""
    stop(tmp_path, 3)

    with pytest.raises(InputError, match=r"expected the state of a run with the same data.*--force discards it"):
        go_on(tmp_path, run="other")


def test_a_state_is_taken_up_only_where_that_was_asked_for_and_the_order_is_the_same(tmp_path: Path) -> None:
    """Then the run remembers whose first steps they were, also when it is stopped once more."""
    stop(tmp_path, 3)
    with pytest.raises(InputError, match="the same data, base, order and prompt"):
        go_on(tmp_path, run="other", course="another order", take_up=True)
    taking, again = keeper(tmp_path, run="other", take_up=True, every_s=0), keeper(tmp_path, run="other")

    with pytest.raises(StoppedError, match="after step 5"):
        train(fresh(), examples(), CONFIG, pad_id=2, aside=StopAfter(taking, 5), keeper=taking)
    train(fresh(), examples(), CONFIG, pad_id=2, keeper=again)

    assert taking.taken_up == again.taken_up == TakenUp(run="this", step=3)


def test_only_the_newest_state_is_kept(tmp_path: Path) -> None:
    """And the one before, until the step after the newest has gone well."""
    go_on(tmp_path)

    assert sorted(one.name for one in tmp_path.iterdir()) == ["step-000014", "step-000015"]


def test_a_full_disk_leaves_the_state_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clear error, and nothing lost."""
    stop(tmp_path, 3)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("training.checkpoint.saved.write_tensors", full)
    with pytest.raises(DollyError, match="the state was not saved: No space left on device"):
        go_on(tmp_path)

    assert newest(tmp_path) == 3
    assert [one.name for one in tmp_path.iterdir()] == ["step-000003"]


def test_a_signal_is_told_to_the_keeper_and_a_second_one_is_heeded_at_once(tmp_path: Path) -> None:
    """SIGTERM lets the step end; whoever presses Ctrl-C twice does not want to wait. Handlers are put back."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        one = keeper(tmp_path)
        with heeding_signals(one):
            signal.raise_signal(signal.SIGTERM)
            told = one.told
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
        after = signal.getsignal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)

    assert told
    assert after is signal.default_int_handler


Process: TypeAlias = subprocess.Popen[str]
STEPS = 100
"""Of the run that is killed, two an epoch: many, so that it does not end before it is."""


def words_of(data: Path, base: Path, out: Path, *, minutes: float = 10) -> list[str]:
    """Return the words of a command that saves every so many minutes, which changes nothing else."""
    words = f"{data} --base {base} -o {out} --epochs {STEPS // 2} --rows-per-step 4 --lr 1e-3 --plain"
    return [*words.split(), "--save-minutes", str(minutes)]


def stopped(words: list[str], out: Path, step: int, stop: Callable[[Process], object]) -> tuple[int, str]:
    """Run `dolly-train` as a process of its own, stop it after this step; return its exit code and what it said."""
    command = [sys.executable, "-m", "training", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT) as process:
        while process.poll() is None and newest(resume_beside(out)) < step:
            time.sleep(0.01)
        stop(process)
        said, _ = process.communicate()
    return process.returncode, said


def test_a_killed_process_ends_in_the_same_bytes(tmp_path: Path, tiny: Path, colours: Path) -> None:
    """Killed once, asked to end once, then run to the end: the weights of an undisturbed run, and nothing left over.

    Kill -9 takes at most the row of the log that is being written.
    """
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    words, log = words_of(colours, tiny, broken, minutes=0.0001), resume_beside(broken) / "log.jsonl"
    killed, _ = stopped(words, broken, 7, Process.kill)
    seen = log.read_bytes().split(b"\n")[:-1]
    ended, said = stopped(words, broken, 15, Process.terminate)
    done = [CliRunner().invoke(main, words_of(colours, tiny, out)) for out in (broken, whole)]

    assert [killed, ended, *(one.exit_code for one in done)] == [-signal.SIGKILL, 130, 0, 0]
    assert [json.loads(line)["step"] for line in seen[:7]] == list(range(1, 8))
    assert "the same command goes on from there" in said
    assert (broken / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    assert [json.loads(line)["step"] for line in (broken / "log.jsonl").open()] == list(range(1, STEPS + 1))
    assert not resume_beside(broken).exists()
