"""A state is written while training goes on; nothing of that is seen in what is trained, and none is lost."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path
from threading import Event, current_thread, main_thread
from typing import Any

import pytest
import torch

from schemas.errors import DollyError, StoppedError
from schemas.manifest import FileDigest
from tests.training.checkpoint.test_resume import CONFIG, StopAfter, examples, fresh, keeper, newest, weights
from training.checkpoint import saving
from training.checkpoint.resume import Keeper
from training.checkpoint.saved import part_of, states, step_of
from training.checkpoint.tensor_file import write_tensors
from training.log import LOG, NOTES
from training.ranks.distributed import ALONE, Ranks
from training.step.loop import train

WRITE = "training.checkpoint.saved.write_tensors"


class Logged:
    """An aside that remembers what was left, and does something at each step."""

    def __init__(self, at_step: Callable[[int], None] = lambda _: None) -> None:
        self.rows: dict[str, list[Any]] = {LOG: [], NOTES: []}
        self.at_step = at_step

    def leave(self, name: str, row: Any) -> None:
        """Remember a row."""
        self.rows[name].append(row)
        if name == LOG:
            self.at_step(row["step"])

    def progress(self, what: str, done: int, total: int | None = None, note: str = "") -> None:
        """Say nothing."""


def run(mine: Keeper, aside: Any = None) -> Any:
    """Train to the end; return the model."""
    model = fresh()
    train(model, examples(), CONFIG, pad_id=2, aside=aside or StopAfter(mine), keeper=mine)
    return model


@pytest.fixture(scope="module")
def whole() -> dict[str, bytes]:
    """The weights of a run of which no state is saved."""
    model = fresh()
    train(model, examples(), CONFIG, pad_id=2)
    return weights(model)


@pytest.fixture
def once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a run save a state after its first step, and none later by itself."""
    monkeypatch.setattr(Keeper, "_is_time", lambda self: not self._saves)


def held_until(gate: Event) -> Callable[..., FileDigest]:
    """Return a writer that waits for a gate to open; in the thread that trains it does not, which would be for ever."""

    def write(path: Path, tensors: Any) -> FileDigest:
        assert current_thread() is not main_thread()
        gate.wait()
        return write_tensors(path, tensors)

    return write


@pytest.mark.usefixtures("once")
def test_training_goes_on_while_a_state_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: dict[str, bytes]
) -> None:
    """Ten steps are taken before the first one's state is on the disk; it is the state after that step all the same."""
    gate, seen = Event(), []

    def at_step(step: int) -> None:
        seen.append(newest(tmp_path))
        if step == 11:
            gate.set()

    monkeypatch.setattr(WRITE, held_until(gate))
    model = run(keeper(tmp_path), Logged(at_step))
    again = Logged()

    assert seen[:11] == [0] * 11
    assert newest(tmp_path) == 1
    assert weights(model) == whole
    assert weights(run(keeper(tmp_path), again)) == whole
    assert len(again.rows[LOG]) == 16


def test_there_is_one_copy_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one is not made before the last is on the disk."""
    seen = []

    def copied(tensors: Any) -> Any:
        seen.append("copied")
        return {name: one.clone() for name, one in tensors.items()}

    def write(path: Path, tensors: Any) -> FileDigest:
        digest = write_tensors(path, tensors)
        seen.append("written")
        return digest

    monkeypatch.setattr(saving, "copied", copied)
    monkeypatch.setattr(WRITE, write)
    run(keeper(tmp_path))

    assert seen == ["copied", "written"] * 15


@pytest.mark.usefixtures("once")
def test_a_signal_waits_for_what_is_being_written_and_saves_without_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: dict[str, bytes]
) -> None:
    """The state after the last step is written by the thread that trained; that after the first one stands, too."""
    mine, threads = keeper(tmp_path), []

    def write(path: Path, tensors: Any) -> FileDigest:
        threads.append(current_thread() is main_thread())
        return write_tensors(path, tensors)

    monkeypatch.setattr(WRITE, write)
    with pytest.raises(StoppedError):
        run(mine, StopAfter(mine, 5))

    assert threads == [False, True]
    assert newest(tmp_path) == 5
    assert weights(run(keeper(tmp_path))) == whole


@pytest.mark.usefixtures("once")
def test_an_error_of_the_run_waits_for_what_is_being_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it is; the state can be gone on from."""
    gate = Event()

    def at_step(step: int) -> None:
        if step == 3:
            gate.set()
            raise RuntimeError("out of luck")

    monkeypatch.setattr(WRITE, held_until(gate))
    with pytest.raises(RuntimeError, match="out of luck"):
        run(keeper(tmp_path), Logged(at_step))

    assert [one.name for one in tmp_path.iterdir()] == ["step-000001"]


def full(*_: Any) -> None:
    """Find no space on the disk."""
    raise OSError(28, "No space left on device")


@pytest.mark.usefixtures("once")
def test_a_full_disk_ends_the_run_at_a_border(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not lost with the thread that met it; no half of a state takes the space that there is."""
    monkeypatch.setattr(WRITE, full)
    aside = Logged()

    with pytest.raises(DollyError, match="the state was not saved: No space left on device"):
        run(keeper(tmp_path), aside)
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("once")
def test_an_error_of_the_last_save_is_not_lost_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug, too, is raised where the run ends."""
    gate = Event()

    def write(path: Path, tensors: Any) -> FileDigest:
        held_until(gate)(path, tensors)
        raise ZeroDivisionError

    monkeypatch.setattr(WRITE, write)

    with pytest.raises(ZeroDivisionError):
        run(keeper(tmp_path), Logged(lambda step: gate.set() if step == 16 else None))


def test_a_process_killed_amid_a_write_leaves_the_state_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: dict[str, bytes]
) -> None:
    """Half of the third state stands there; the run goes on from the second, and removes that half."""

    def dies(path: Path, tensors: Any) -> FileDigest:
        digest = write_tensors(path, tensors)
        if newest(tmp_path) == 2:
            os.truncate(path, path.stat().st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)
        return digest

    with monkeypatch.context() as patched:
        patched.setattr(WRITE, dies)
        process = multiprocessing.get_context("fork").Process(target=run, args=(keeper(tmp_path),))
        process.start()
        process.join()
    left, drafts = newest(tmp_path), list(tmp_path.glob(".step-000003.writing/*"))
    again = Logged()

    assert (process.exitcode, left) == (-signal.SIGKILL, 2)
    assert [one.name for one in drafts] == [part_of(0)]
    assert weights(run(keeper(tmp_path, every_s=0), again)) == whole
    assert len(again.rows[LOG]) == 16
    assert [one.name for one in tmp_path.iterdir()] == ["step-000002"]


@pytest.mark.usefixtures("once")
def test_without_memory_for_a_copy_training_waits_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: dict[str, bytes]
) -> None:
    """The state is the same."""
    threads, aside = [], Logged()

    def write(path: Path, tensors: Any) -> FileDigest:
        threads.append(current_thread() is main_thread())
        return write_tensors(path, tensors)

    monkeypatch.setattr(WRITE, write)
    monkeypatch.setattr(saving, "memory_left", lambda: 1000)
    run(keeper(tmp_path), aside)

    note = "there is no memory for a copy of the state: training waited until it was written"
    assert threads == [True]
    assert aside.rows[NOTES] == [{"step": 1, "note": note}]
    assert weights(run(keeper(tmp_path))) == whole


def test_memory_is_needed_for_the_copies_of_all_ranks_of_a_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a divided model each has its part, of replicas the first has all; each takes again what a step needs."""
    monkeypatch.setattr(saving, "memory_left", lambda: 5000)
    monkeypatch.setattr(saving, "grows_again", lambda: 100)
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    tensors = {"one": torch.zeros(1000)}
    machines = [ALONE, Ranks(size=4), Ranks(size=6), Ranks(size=2, sharded=True)]

    fits = [saving.has_room(tensors, ranks) for ranks in machines]
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "1")

    assert fits == [True, True, False, False]
    assert saving.has_room(tensors, Ranks(size=2, sharded=True))


@pytest.mark.parametrize("saves", [0, 4, 2000])
def test_a_run_of_any_length_knows_when_to_save(saves: int, tmp_path: Path) -> None:
    """The first states come soon, later ones at the usual time, however many there were."""
    mine = keeper(tmp_path / "out.resume")
    mine._saves = saves

    assert mine._is_time()


def test_states_are_in_the_order_of_their_steps(tmp_path: Path) -> None:
    """Also where a step has more digits than the others."""
    for step in (1_000_000, 999_999, 120):
        (tmp_path / f"step-{step:06}").mkdir()
    (tmp_path / "step-notes").mkdir()

    assert [step_of(one) for one in states(tmp_path)] == [120, 999_999, 1_000_000]
