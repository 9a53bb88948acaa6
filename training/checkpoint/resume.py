"""A run that was stopped goes on where it stopped, and ends in the same weights to the last bit.

    OUT.resume/step-000120/
      state.safetensors   weights, whatever tensors the optimiser keeps of them, the states of the random generators
      state.json          which run this is, and the log so far
      COMPLETED           the digests of the other two, written last

It stands beside the checkpoint, because the checkpoint does not exist before its run has ended. It is written into a
temporary sibling, flushed and renamed; a reader believes only what its COMPLETED marker vouches for. transformers'
own trainer writes a marker too, but nothing reads it, and a half-written folder is resumed from.
"""

import os
import shutil
import signal
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from schemas.codec import adapter, dumps, loads
from schemas.errors import DollyError, InputError, StoppedError
from schemas.manifest import digest_file
from training.guard import DivergedError, Guard
from training.log import StepRow
from training.model.load import full_disks_told

STATE, LOG_SO_FAR, COMPLETED = "state.safetensors", "state.json", "COMPLETED"
STOPPING = (signal.SIGINT, signal.SIGTERM)
"""Signals after which a run saves what it has and ends."""
FIRST_SOONER = 16
"""The first state is saved after this part of the usual time, and each next one after twice as long: what goes wrong
goes wrong early."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What changes while a run goes on."""

    weights: Mapping[str, Tensor]
    """By the names of the model's parameters: those that training changes."""
    optimiser: torch.optim.Optimizer
    rows: list[StepRow]
    """The log: one row for each step that was taken."""


def resume_beside(out: Path) -> Path:
    """Return where the state of an unfinished checkpoint stands."""
    return out.parent / f"{out.name}.resume"


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenUp:
    """A run with other settings whose state this one went on from."""

    run: str
    """Its fingerprint."""
    step: int
    """After which step."""


@dataclass(slots=True, kw_only=True)
class Keeper:
    """Keeps the state of one run on disk."""

    folder: Path
    run: str
    """The fingerprint of data, base and settings: another run's state is not taken up."""
    every_s: float
    """Seconds between two saves; 0: only at the end of an interrupted run."""
    course: str = ""
    """The fingerprint of what decides which record comes at which step."""
    take_up: bool = False
    """Go on from the state of a run with the same course and other settings."""
    taken_up: TakenUp | None = None
    """Whose state it was; None: this run's own, or none."""
    told: bool = False
    """A signal has come."""
    _last: float = field(default_factory=time.monotonic)
    _saves: int = 0

    def restore(self, state: State) -> None:
        """Put the last saved state into `state`, in place; nothing where none was saved.

        Raises:
            InputError: it belongs to another run.
        """
        found = self._newest()
        if found is None:
            return
        so_far = loads((found / LOG_SO_FAR).read_bytes())
        self.taken_up = self._taken_up(so_far)
        _fill(state, load_file(found / STATE))
        state.rows.extend(adapter(list[StepRow]).validate_python(so_far["rows"]))

    def after_step(self, state: State, guard: Guard) -> None:
        """Save if it is time to and all is well, or if a signal has come.

        Raises:
            StoppedError: a signal had come; the state is on disk.
        """
        if self._saves:
            self._forget_superseded(guard.good_until)
        if self.told or (self._is_time() and not guard.suspicious):
            self.save(state)
        if self.told:
            raise StoppedError(f"interrupted after step {len(state.rows)}; the same command goes on from there")

    def save(self, state: State) -> None:
        """Write the state; the one before stays until the step after this one went well.

        Raises:
            DollyError: no space on the disk; the state before is still there.
        """
        target = self.folder / f"step-{len(state.rows):06}"
        draft = self.folder / f".{target.name}.writing"
        try:
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(parents=True)
            _write(draft, self._whose(), state)
            shutil.rmtree(target, ignore_errors=True)
            draft.rename(target)
            _flush(self.folder)
        except OSError as error:
            shutil.rmtree(draft, ignore_errors=True)
            raise DollyError(f"{self.folder}: the state was not saved: {error.strerror or error}") from error
        self._last, self._saves = time.monotonic(), self._saves + 1

    def _whose(self) -> dict[str, Any]:
        return {"run": self.run, "course": self.course, "taken_up": asdict(self.taken_up) if self.taken_up else None}

    def forget(self) -> None:
        """Remove everything: the run has ended, or is to begin anew."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def forget_bad(self, good_until: int) -> int:
        """Remove states that no good step followed; return after which step the newest left was saved, 0: none."""
        for one in self._finished():
            if _step_of(one) >= good_until:
                shutil.rmtree(one)
        newest = self._newest()
        return _step_of(newest) if newest else 0

    def _taken_up(self, so_far: Mapping[str, Any]) -> TakenUp | None:
        if so_far["run"] == self.run:
            return TakenUp(**so_far["taken_up"]) if so_far.get("taken_up") else None
        if self.take_up and so_far.get("course") == self.course:
            return TakenUp(run=so_far["run"], step=len(so_far["rows"]))
        if self.take_up:
            expected = "the state of a run with the same data, base, order and prompt"
        else:
            expected = "the state of a run with the same data, base and settings, or --take-up"
        raise InputError(place=self.folder, expected=expected, found="another's; --force discards it")

    def _is_time(self) -> bool:
        wait_s = self.every_s * min(1.0, 2**self._saves / FIRST_SOONER)
        return bool(wait_s) and time.monotonic() - self._last >= wait_s

    def _forget_superseded(self, good_until: int) -> None:
        """Remove all states before the newest that a good step followed."""
        states = self._finished()
        good = [one for one in states if _step_of(one) < good_until]
        for one in good[:-1]:
            shutil.rmtree(one)

    def _finished(self) -> list[Path]:
        return sorted(self.folder.glob("step-*"))

    def _newest(self) -> Path | None:
        whole = [one for one in self._finished() if _is_whole(one)]
        return whole[-1] if whole else None


@contextmanager
def keeping_what_was_good(keeper: Keeper | None, guard: Guard) -> Iterator[None]:
    """Where the guard ends a run, see to it that the newest state on disk is a good one, and say how to go on."""
    try:
        yield
    except DivergedError as error:
        step = keeper.forget_bad(guard.good_until) if keeper else 0
        raise DivergedError(f"{error}. {_way_on(keeper, step)}") from error


def _way_on(keeper: Keeper | None, step: int) -> str:
    helps = "a smaller --lr, a longer --warmup-ratio or --dtype fp32 usually help"
    if keeper is None or not step:
        return f"No good state had been saved by then: {helps}."
    return (
        f"The last good state, after step {step}, is kept in {keeper.folder}: {helps}, together with --take-up, which "
        "goes on from it, or --force, which begins anew."
    )


@contextmanager
def heeding_signals(keeper: Keeper) -> Iterator[None]:
    """Tell the keeper of SIGINT and SIGTERM instead of dying of them; a second SIGINT ends the run at once."""

    def tell(number: int, _: FrameType | None) -> None:
        if keeper.told and number == signal.SIGINT:
            raise KeyboardInterrupt
        keeper.told = True

    heeded = [one for one in STOPPING if signal.getsignal(one) is not signal.SIG_IGN]
    before = {one: signal.signal(one, tell) for one in heeded}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _write(draft: Path, whose: Mapping[str, Any], state: State) -> None:
    with full_disks_told():
        save_file(dict(_tensors(state)), draft / STATE)
    (draft / LOG_SO_FAR).write_bytes(dumps({**whose, "rows": [asdict(row) for row in state.rows]}))
    digests = [asdict(digest_file(draft / name, name)) for name in (STATE, LOG_SO_FAR)]
    for name in (STATE, LOG_SO_FAR):
        _flush(draft / name)
    (draft / COMPLETED).write_bytes(dumps(digests))
    _flush(draft / COMPLETED)
    _flush(draft)


def _step_of(state: Path) -> int:
    return int(state.name.removeprefix("step-"))


def _is_whole(folder: Path) -> bool:
    """Say whether a marker vouches for every byte of a saved state."""
    try:
        digests = loads((folder / COMPLETED).read_bytes())
        return all(digest_file(folder / one["path"], one["path"]).sha256 == one["sha256"] for one in digests)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _tensors(state: State) -> Iterator[tuple[str, Tensor]]:
    """Yield everything that is saved, each under its own name."""
    for name, weight in state.weights.items():
        yield f"weight/{name}", weight.detach()
        for part, value in state.optimiser.state.get(weight, {}).items():
            yield f"{part}/{name}", value
    yield "random/cpu", torch.get_rng_state()
    for at, device in enumerate(_accelerator_states()):
        yield f"random/cuda/{at}", device


@torch.no_grad()
def _fill(state: State, saved: Mapping[str, Tensor]) -> None:
    parts: dict[str, dict[str, Tensor]] = defaultdict(dict)
    for key, value in saved.items():
        part, _, name = key.partition("/")
        parts[name][part] = value
    for name, weight in state.weights.items():
        weight.copy_(parts[name].pop("weight"))
        state.optimiser.state[weight] = {part: value.to(weight.device) for part, value in parts[name].items()}
    torch.set_rng_state(saved["random/cpu"])
    for at in range(len(_accelerator_states())):
        torch.cuda.set_rng_state(saved[f"random/cuda/{at}"], at)


def _accelerator_states() -> Sequence[Tensor]:
    return torch.cuda.get_rng_state_all() if torch.cuda.is_available() else ()


def _flush(path: Path) -> None:
    """Force a file, or the names in a folder, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
