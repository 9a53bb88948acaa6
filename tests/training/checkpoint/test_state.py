"""What changes while a run goes on is put back, also where it goes on with other hardware."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tests.training.checkpoint.test_resume import CONFIG, fresh
from training.checkpoint.state import State, fill, own_tensors
from training.config import OptimiserName
from training.ranks.distributed import ALONE
from training.step.forms import SPLIT
from training.step.optimiser import AdamW, trained_weights


def state_of(dtype: torch.dtype = torch.float32, optimiser: OptimiserName = "adamw", steps: int = 0) -> State:
    """Return the state of a run after steps that change every weight a little."""
    weights = trained_weights(fresh(dtype=dtype))
    state = State(
        weights=weights, optimiser=AdamW(list(weights.values()), replace(CONFIG, optimiser=optimiser)), rows=[]
    )
    for _ in range(steps):
        for weight in weights.values():
            weight.grad = torch.linspace(-1, 1, weight.numel()).view(weight.shape).to(weight.dtype)
        state.optimiser.step()
    return state


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


@pytest.mark.parametrize("optimiser", ["adamw", "adamw-8bit"])
def test_a_state_in_bf16_that_goes_on_in_fp32_loses_no_bit_of_a_weight(optimiser: OptimiserName) -> None:
    """What the optimiser kept of each is joined with it, and kept no longer."""
    before, after = state_of(torch.bfloat16, optimiser, steps=3), state_of(optimiser=optimiser)
    low = "weight.low"
    fill(after, own_tensors(before, ALONE))

    for name, weight in before.weights.items():
        halves = weight.detach().view(-1), before.optimiser.state[weight][low]
        assert torch.equal(after.weights[name].detach().view(-1), SPLIT.read(halves, slice(None)))
        assert low not in after.optimiser.state[after.weights[name]]
    assert any(bool(before.optimiser.state[one][low].any()) for one in before.weights.values())


def test_a_lower_half_that_was_left_over_changes_no_weight_in_fp32() -> None:
    """States of runs that had gone on in fp32 still had them."""
    before, after = state_of(steps=1), state_of()
    left = {f"weight.low/{name}": torch.ones(one.numel(), dtype=torch.int16) for name, one in before.weights.items()}
    fill(after, own_tensors(before, ALONE) | left)

    assert all(torch.equal(after.weights[name], one) for name, one in before.weights.items())
