"""A saved state on disk.

    OUT.resume/step-000120/
      state.safetensors   weights, whatever tensors the optimiser keeps of them, the states of the random generators
      state.json          which run this is, and the log so far
      COMPLETED           the digests of both, written last
      state-00001.safetensors, COMPLETED-00001   of every further rank: what only it has, of a divided model its part

It is written into a hidden sibling, flushed, and renamed when every rank has written its marker; a reader believes only
what markers vouch for, and only all of it.
"""

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from schemas.codec import dumps, loads
from schemas.manifest import digest_file
from training.checkpoint.tensor_file import write_tensors
from training.ranks.distributed import Ranks

STATE, LOG_SO_FAR, COMPLETED = "state.safetensors", "state.json", "COMPLETED"
DRAFTS = ".step-*.writing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A state that is being written, which nobody believes yet."""

    folder: Path
    """Of all states of the run."""
    step: int
    """After which it was taken."""
    ranks: Ranks

    @property
    def path(self) -> Path:
        """Where it is written."""
        return self.folder / f".step-{self.step:06}.writing"

    def begin(self) -> None:
        """Make room for it."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir(parents=True)

    def write(self, tensors: Mapping[str, Tensor], log: Callable[[], bytes]) -> None:
        """Write this rank's part, and the log if it is the first; of a rank that is alone the state then stands.

        Raises:
            OSError: it cannot be written; what there was of this rank is gone.
        """
        try:
            self._write(tensors, log)
        except OSError:
            self._drop()
            raise
        if self.ranks.size == 1:
            self.publish()

    def publish(self) -> None:
        """Put it where a reader looks, once every rank has written its part."""
        target = self.folder / f"step-{self.step:06}"
        shutil.rmtree(target, ignore_errors=True)
        self.path.rename(target)
        flush(self.folder)

    def _write(self, tensors: Mapping[str, Tensor], log: Callable[[], bytes]) -> None:
        digests = [write_tensors(self.path / part_of(self.ranks.number), tensors)]
        if self.ranks.first:
            (self.path / LOG_SO_FAR).write_bytes(log())
            flush(self.path / LOG_SO_FAR)
            digests.append(digest_file(self.path / LOG_SO_FAR, LOG_SO_FAR))
        marker = self.path / _marker_of(self.ranks.number)
        marker.write_bytes(dumps([asdict(one) for one in digests]))
        flush(marker)
        flush(self.path)

    def _drop(self) -> None:
        """Give the space back; of several ranks each its own, because others may still be writing."""
        if self.ranks.size == 1:
            shutil.rmtree(self.path, ignore_errors=True)
        (self.path / part_of(self.ranks.number)).unlink(missing_ok=True)


def part_of(rank: int) -> str:
    """Return the name of the file with what a rank has saved."""
    return f"state-{rank:05}.safetensors" if rank else STATE


def states(folder: Path) -> list[Path]:
    """Return the states of a run that were put in their place, the oldest first."""
    return sorted(folder.glob("step-[0-9]*"), key=step_of)


def newest(folder: Path) -> Path | None:
    """Return the last state of a run that is whole."""
    return next((one for one in reversed(states(folder)) if is_whole(one)), None)


def step_of(state: Path | None) -> int:
    """Return after which step a state was taken; 0: there is none."""
    return int(state.name.removeprefix("step-")) if state else 0


def facts_of(state: Path) -> Mapping[str, Any]:
    """Return what a state says of itself: whose it is, and the log so far."""
    facts: Mapping[str, Any] = loads((state / LOG_SO_FAR).read_bytes())
    return facts


def is_whole(state: Path) -> bool:
    """Say whether markers vouch for every byte of a state, and for every rank's part."""
    try:
        vouched = {
            one["path"]: one["sha256"] for file in state.glob(f"{COMPLETED}*") for one in loads(file.read_bytes())
        }
        same = all(digest_file(state / name, name).sha256 == sha256 for name, sha256 in vouched.items())
        ranks = facts_of(state).get("ranks", 1)
        return same and {LOG_SO_FAR, *map(part_of, range(ranks))} <= vouched.keys()
    except (OSError, ValueError, KeyError, TypeError):
        return False


def forget_drafts(folder: Path) -> None:
    """Remove what a killed run was writing."""
    for one in folder.glob(DRAFTS):
        shutil.rmtree(one, ignore_errors=True)


def flush(path: Path) -> None:
    """Force a file, or the names in a folder, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _marker_of(rank: int) -> str:
    return f"{COMPLETED}-{rank:05}" if rank else COMPLETED
