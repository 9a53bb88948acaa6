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

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from schemas.codec import adapter, dumps, loads
from schemas.errors import DollyError, InputError, StoppedError
from schemas.manifest import digest_file
from training.log import StepRow

STATE, LOG_SO_FAR, COMPLETED = "state.safetensors", "state.json", "COMPLETED"
STOPPING = (signal.SIGINT, signal.SIGTERM)
"""Signals after which a run saves what it has and ends."""


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


@dataclass(slots=True, kw_only=True)
class Keeper:
    """Keeps the state of one run on disk."""

    folder: Path
    run: str
    """The fingerprint of data, base and settings: another run's state is not taken up."""
    every_s: float
    """Seconds between two saves; 0: only at the end of an interrupted run."""
    told: bool = False
    """A signal has come."""
    _last: float = field(default_factory=time.monotonic)

    def restore(self, state: State) -> None:
        """Put the last saved state into `state`, in place; nothing where none was saved.

        Raises:
            InputError: it belongs to another run.
        """
        found = self._newest()
        if found is None:
            return
        so_far = loads((found / LOG_SO_FAR).read_bytes())
        if so_far["run"] != self.run:
            expected = "the state of a run with the same data, base and settings"
            raise InputError(place=self.folder, expected=expected, found="another's; --force discards it")
        _fill(state, load_file(found / STATE))
        state.rows.extend(adapter(list[StepRow]).validate_python(so_far["rows"]))

    def after_step(self, state: State) -> None:
        """Save if it is time to, or if a signal has come.

        Raises:
            StoppedError: a signal had come; the state is on disk.
        """
        if self.told or (self.every_s and time.monotonic() - self._last >= self.every_s):
            self.save(state)
        if self.told:
            raise StoppedError(f"interrupted after step {len(state.rows)}; the same command goes on from there")

    def save(self, state: State) -> None:
        """Write the state, then forget the one before.

        Raises:
            DollyError: no space on the disk; the state before is still there.
        """
        target = self.folder / f"step-{len(state.rows):06}"
        draft = self.folder / f".{target.name}.writing"
        try:
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(parents=True)
            _write(draft, self.run, state)
            shutil.rmtree(target, ignore_errors=True)
            draft.rename(target)
            _flush(self.folder)
        except OSError as error:
            shutil.rmtree(draft, ignore_errors=True)
            raise DollyError(f"{self.folder}: the state was not saved: {error.strerror or error}") from error
        for other in self._finished():
            if other != target:
                shutil.rmtree(other)
        self._last = time.monotonic()

    def forget(self) -> None:
        """Remove everything: the run has ended, or is to begin anew."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _finished(self) -> list[Path]:
        return sorted(self.folder.glob("step-*"))

    def _newest(self) -> Path | None:
        whole = [one for one in self._finished() if _is_whole(one)]
        return whole[-1] if whole else None


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


def _write(draft: Path, run: str, state: State) -> None:
    save_file(dict(_tensors(state)), draft / STATE)
    (draft / LOG_SO_FAR).write_bytes(dumps({"run": run, "rows": [asdict(row) for row in state.rows]}))
    digests = [asdict(digest_file(draft / name, name)) for name in (STATE, LOG_SO_FAR)]
    for name in (STATE, LOG_SO_FAR):
        _flush(draft / name)
    (draft / COMPLETED).write_bytes(dumps(digests))
    _flush(draft / COMPLETED)
    _flush(draft)


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
