"""What is on disk of an unfinished run: its tensors, its log, and a marker that vouches for both.

    OUT.resume/step-000120/
      state.safetensors   weights, whatever tensors the optimiser keeps of them, the states of the random generators
      state.json          which run this is, and the log so far
      state-00001.safetensors   of every further rank: what only it has, of a divided model its part of all that
      COMPLETED           the digests of the others, written last

It is written into a temporary sibling, flushed and renamed; a reader believes only what its COMPLETED marker vouches
for. transformers' own trainer writes a marker too, but nothing reads it, and a half-written folder is resumed from.
"""

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from schemas.codec import adapter, dumps, loads
from schemas.manifest import digest_file
from training.log import StepRow
from training.model.load import full_disks_told
from training.ranks.distributed import Ranks, local

STATE, LOG_SO_FAR, COMPLETED = "state.safetensors", "state.json", "COMPLETED"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What changes while a run goes on."""

    weights: Mapping[str, Tensor]
    """By the names of the model's parameters: those that training changes."""
    optimiser: torch.optim.Optimizer
    rows: list[StepRow]
    """The log: one row for each step that was taken."""


def read_facts(folder: Path) -> Mapping[str, Any]:
    """Return what a saved state says of itself: whose it is, and the log so far."""
    facts: Mapping[str, Any] = loads((folder / LOG_SO_FAR).read_bytes())
    return facts


def read_into(state: State, folder: Path, ranks: Ranks) -> None:
    """Put what this rank had saved into `state`, in place."""
    common = {} if ranks.first or ranks.sharded else load_file(folder / STATE)
    _fill(state, common | load_file(folder / _own(ranks)))
    state.rows.extend(adapter(list[StepRow]).validate_python(read_facts(folder)["rows"]))


def is_whole(folder: Path) -> bool:
    """Say whether a marker vouches for every byte of a saved state."""
    try:
        digests = loads((folder / COMPLETED).read_bytes())
        return all(digest_file(folder / one["path"], one["path"]).sha256 == one["sha256"] for one in digests)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def write_own(draft: Path, state: State, ranks: Ranks) -> None:
    """Write what this rank has; replicas have nothing of their own but their generators."""
    with full_disks_told():
        save_file(dict(_tensors(state) if ranks.first or ranks.sharded else _generators()), draft / _own(ranks))
    flush(draft / _own(ranks))


def vouch(draft: Path, whose: Mapping[str, Any], state: State) -> None:
    """Write the log so far, and the marker that makes a reader believe it all."""
    (draft / LOG_SO_FAR).write_bytes(dumps({**whose, "rows": [asdict(row) for row in state.rows]}))
    flush(draft / LOG_SO_FAR)
    digests = [asdict(digest_file(one, one.name)) for one in sorted(draft.iterdir())]
    (draft / COMPLETED).write_bytes(dumps(digests))
    flush(draft / COMPLETED)
    flush(draft)


def _own(ranks: Ranks) -> str:
    """Return the name of the file with what a rank has saved."""
    return STATE if ranks.first else f"state-{ranks.number:05}.safetensors"


def _tensors(state: State) -> Iterator[tuple[str, Tensor]]:
    """Yield everything that is saved, each under its own name."""
    for name, weight in state.weights.items():
        yield f"weight/{name}", local(weight).detach()
        for part, value in state.optimiser.state.get(weight, {}).items():
            yield f"{part}/{name}", value
    yield from _generators()


def _generators() -> Iterator[tuple[str, Tensor]]:
    """Yield the states of this process's random generators."""
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
        local(weight).copy_(parts[name].pop("weight"))
        state.optimiser.state[weight] = {part: value.to(weight.device) for part, value in parts[name].items()}
    torch.set_rng_state(saved["random/cpu"])
    for at in range(len(_accelerator_states())):
        torch.cuda.set_rng_state(saved[f"random/cuda/{at}"], at)


def _accelerator_states() -> Sequence[Tensor]:
    return torch.cuda.get_rng_state_all() if torch.cuda.is_available() else ()


def flush(path: Path) -> None:
    """Force a file, or the names in a folder, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
