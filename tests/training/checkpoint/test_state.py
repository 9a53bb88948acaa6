"""What changes while a run goes on is put back, also where it goes on with other hardware."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from tests.training.checkpoint.test_resume import CONFIG, fresh
from training.checkpoint.state import State, fill, own_tensors
from training.ranks.distributed import ALONE
from training.step.optimiser import AdamW, trained_weights


def state_of(dtype: torch.dtype = torch.float32) -> State:
    """Return the state of a run that has not begun."""
    weights = trained_weights(fresh(dtype=dtype))
    return State(weights=weights, optimiser=AdamW(list(weights.values()), CONFIG), rows=[])


def seen(monkeypatch: pytest.MonkeyPatch, generators: Sequence[int], current: int) -> list[Tensor]:
    """Have torch see accelerators with these generators, one of them the process's; return that one's new states."""
    put_back: list[Tensor] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: len(generators))
    monkeypatch.setattr(torch.cuda, "current_device", lambda: current)
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda at=current: torch.tensor([generators[at]]))
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda one, _=current: put_back.append(one))
    return put_back


def test_a_state_goes_on_with_another_number_of_accelerators(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process's own generator is saved under a name of its own and put back on whichever it has then."""
    state = state_of()
    seen(monkeypatch, [5, 7], current=1)
    saved = own_tensors(state, ALONE)
    put_back = seen(monkeypatch, [1, 2, 3, 4], current=0)
    fill(state, saved)

    assert [one.tolist() for one in put_back] == [[7]]
    assert sum(name.startswith("random/") for name in saved) == 2


def test_a_state_that_was_saved_on_a_processor_goes_on_on_an_accelerator(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its generator, of which nothing was saved, stays as the seed has it."""
    state = state_of()
    saved = own_tensors(state, ALONE)
    put_back = seen(monkeypatch, [1], current=0)
    fill(state, saved)

    assert put_back == []


def test_a_state_with_the_generators_of_all_accelerators_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it used to be saved: each process takes that of its own."""
    state = state_of()
    saved = own_tensors(state, ALONE) | {f"random/cuda/{at}": torch.tensor([at]) for at in range(2)}
    put_back = seen(monkeypatch, [8, 9, 10], current=1)
    fill(state, saved)

    assert [one.tolist() for one in put_back] == [[1]]
