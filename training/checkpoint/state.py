"""What changes while a run goes on: taken down as tensors by name, and put back."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from training.log import StepRow
from training.ranks.distributed import Ranks, local

ACCELERATOR = "random/accelerator"
"""The generator of the one accelerator that a process computes on, whatever its number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What changes while a run goes on."""

    weights: Mapping[str, Tensor]
    """By the names of the model's parameters: those that training changes."""
    optimiser: torch.optim.Optimizer
    rows: list[StepRow]
    """The log: one row for each step that was taken."""


def own_tensors(state: State, ranks: Ranks) -> dict[str, Tensor]:
    """Return what this rank has to save, each under its own name; the next step changes them.

    Replicas have nothing of their own but their generators.
    """
    return dict(_tensors(state) if ranks.first or ranks.sharded else _generators())


def copied(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors as they are now, in this machine's memory.

    It is not pinned: torch rounds pinned memory up to a power of two and never gives it back.
    """
    return {name: torch.empty(one.shape, dtype=one.dtype).copy_(one) for name, one in tensors.items()}


def fill(state: State, saved: Mapping[str, Tensor]) -> None:
    """Put what was saved back, in place; the random generators, too."""
    parts: dict[str, dict[str, Tensor]] = defaultdict(dict)
    for key, value in saved.items():
        part, _, name = key.partition("/")
        parts[name][part] = value
    with torch.no_grad():
        for name, weight in state.weights.items():
            local(weight).copy_(_weight(parts[name], weight.dtype))
            state.optimiser.state[weight] = {part: value.to(weight.device) for part, value in parts[name].items()}
    torch.set_rng_state(saved["random/cpu"])
    if torch.cuda.is_available() and (generator := _accelerator_generator(saved)) is not None:
        torch.cuda.set_rng_state(generator)


def _weight(parts: dict[str, Tensor], dtype: torch.dtype) -> Tensor:
    """Take a saved weight out of its parts; in fp32 together with the lower half that a bf16 model's optimiser keeps.

    The halves are joined as the optimiser does it. A lower half without a bf16 weight was left over, and is dropped.
    """
    weight = parts.pop("weight")
    low = parts.pop("weight.low", None) if dtype == torch.float32 else None
    if low is None or weight.dtype != torch.bfloat16:
        return weight
    return weight.float().view(torch.int32).add_(low.view(weight.shape)).view(torch.float32)


def _tensors(state: State) -> Iterator[tuple[str, Tensor]]:
    for name, weight in state.weights.items():
        yield f"weight/{name}", local(weight).detach()
        for part, value in state.optimiser.state.get(weight, {}).items():
            yield f"{part}/{name}", value
    yield from _generators()


def _generators() -> Iterator[tuple[str, Tensor]]:
    """Yield the states of this process's random generators."""
    yield "random/cpu", torch.get_rng_state()
    if torch.cuda.is_available():
        yield ACCELERATOR, torch.cuda.get_rng_state()


def _accelerator_generator(saved: Mapping[str, Tensor]) -> Tensor | None:
    """Return the state of this process's accelerator's generator; None: the state was saved without one.

    States of before this name have the generators of all accelerators that were to be seen, by number.
    """
    return saved.get(ACCELERATOR, saved.get(f"random/cuda/{torch.cuda.current_device()}"))
