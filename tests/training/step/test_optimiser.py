"""Each optimiser is AdamW: exactly, or on average, in the bytes that it says."""

from typing import Any, get_args

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from training.config import OptimiserName, TrainConfig
from training.step.forms import BLOCK, ROUNDED, SIGNED, SPLIT, UNSIGNED, Dither, Form, noise_table
from training.step.optimiser import FORMS, AdamW, clip_scale, gradient_norm, sum_in, trained_weights

CPU = torch.device("cpu")
NAMES = tuple(name for name in get_args(OptimiserName) if name != "auto")


def dither(step: int = 0) -> Dither:
    """Return noise."""
    return Dither(1, step, 0, noise_table(1 << 16, "cpu"))


def kept(form: Form, value: torch.Tensor, step: int = 0) -> torch.Tensor:
    """Return what comes back of numbers that were written."""
    held, part = form.zeros(len(value), CPU), slice(0, len(value))
    form.write(held, part, value.clone(), dither(step))
    return form.read(held, part).clone()


def layer(dtype: torch.dtype, numbers: int = 600) -> nn.Linear:
    """Return one row of random weights."""
    torch.manual_seed(0)
    return nn.Linear(numbers, 1, bias=False).to(dtype)


def run(model: nn.Module, optimiser: Any, steps: int, **more: Any) -> None:
    """Take steps on gradients that are the same in every run."""
    for step in range(steps):
        for weight in model.parameters():
            generator = torch.Generator().manual_seed(step)
            drawn = torch.randn(weight.shape, generator=generator) * torch.logspace(-6, 0, weight.shape[-1])
            weight.grad = drawn.to(weight.grad_dtype)
        optimiser.step(**more)


@given(
    st.lists(
        st.floats(width=32, allow_nan=False, allow_infinity=False, max_value=2.0**100, min_value=-(2.0**100)),
        min_size=1,
    )
)
def test_a_split_number_is_whole(numbers: list[float]) -> None:
    """To the last bit, and its upper half is the nearest bf16 number."""
    value = torch.tensor(numbers)
    held = SPLIT.zeros(len(value), CPU)

    SPLIT.write(held, slice(0, len(value)), value, dither())

    assert torch.equal(SPLIT.read(held, slice(0, len(value))).view(torch.int32), value.view(torch.int32))
    rounded = value.bfloat16()
    assert torch.equal((held[0].double() - value.double()).abs(), (rounded.double() - value.double()).abs())


@pytest.mark.parametrize("form", [ROUNDED, SIGNED, UNSIGNED])
def test_rounding_is_right_on_average(form: Form) -> None:
    """The mean of many writings is the number, though no single one is."""
    value = torch.logspace(-3, 0, 400)
    value = value if form is UNSIGNED else value * torch.linspace(-1, 1, 400).sign()

    many = torch.stack(
        [kept(form, value, step).sqrt() if form is UNSIGNED else kept(form, value, step) for step in range(800)]
    )

    wanted = value.sqrt() if form is UNSIGNED else value
    torch.testing.assert_close(many.mean(0), wanted, rtol=0.02, atol=1e-5)
    assert float((many[0] - wanted).abs().max()) > 1e-4


def test_the_largest_of_a_block_and_zero_are_held_as_they_are() -> None:
    """And a number is off by no more than a step of the tree, whatever stands in other blocks."""
    value = torch.cat([torch.linspace(-3, 3, BLOCK), 1e-6 * torch.linspace(-1, 1, BLOCK), torch.zeros(7)])

    read = kept(SIGNED, value)

    assert [float(read[at]) for at in (0, BLOCK - 1, BLOCK)] == [float(value[at]) for at in (0, BLOCK - 1, BLOCK)]
    assert not read[2 * BLOCK :].any()
    assert float((read - value)[:BLOCK].abs().max()) <= 3 * 0.9 / 64
    assert float((read - value)[BLOCK:].abs().max()) <= 1e-6 * 0.9 / 64


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_adamw_is_torch_s_on_fp32_weights(dtype: torch.dtype, decay: float) -> None:
    """To the last bit after many steps, the weights in bf16 as well: their other half is kept."""
    config = TrainConfig(lr=1e-3, weight_decay=decay)
    ours, theirs = layer(dtype), layer(dtype).float()
    mine = AdamW(list(ours.parameters()), config)
    sum_in(trained_weights(ours), torch.float32)

    run(ours, mine, 50)
    run(theirs, torch.optim.AdamW(theirs.parameters(), lr=1e-3, weight_decay=decay, fused=True), 50)

    held = [ours.weight.detach().view(-1), *(mine.state[ours.weight].get(name) for name in ["weight.low"])]
    whole = held[0] if dtype == torch.float32 else SPLIT.read(held, slice(0, 600))
    assert torch.equal(whole.view(-1), theirs.weight.detach().view(-1))


@pytest.mark.parametrize("name", ["adamw-8bit", "adamw-bf16"])
def test_the_others_go_the_same_way(name: OptimiserName) -> None:
    """After fifty steps the weights have moved as AdamW moves them, to a tenth of the way."""
    start = layer(torch.float32).weight.detach().clone()
    moved = {}
    for one in ("adamw", name):
        model = layer(torch.float32)
        run(model, AdamW(list(model.parameters()), TrainConfig(lr=1e-3, optimiser=one)), 50)
        moved[one] = model.weight.detach() - start

    assert float((moved[name] - moved["adamw"]).norm() / moved["adamw"].norm()) < 0.12


@pytest.mark.parametrize("name", NAMES)
def test_an_update_too_small_for_bf16_is_not_lost(name: OptimiserName) -> None:
    """Each is below half a unit in the last place; after many steps the weights have moved as far as they should."""
    model = nn.Linear(2000, 1, bias=False).to(torch.bfloat16)
    nn.init.constant_(model.weight, 1.0)
    optimiser = AdamW(list(model.parameters()), TrainConfig(lr=1e-4, optimiser=name))
    for _ in range(100):
        model.weight.grad = torch.ones_like(model.weight)
        optimiser.step()

    assert float(model.weight.detach().float().mean()) == pytest.approx(0.99, abs=0.002)
    assert float(torch.tensor(1.0, dtype=torch.bfloat16) - 1e-4) == 1.0


@pytest.mark.parametrize("name", NAMES)
def test_the_state_has_the_bytes_that_are_counted(name: OptimiserName) -> None:
    """Weight and state of a parameter in bf16, by the forms' own bits."""
    numbers = 1 << 16
    model = layer(torch.bfloat16, numbers)
    optimiser = AdamW(list(model.parameters()), TrainConfig(optimiser=name))
    run(model, optimiser, 1)

    held = [model.weight, *(one for one in optimiser.state[model.weight].values() if one.dim())]

    forms = FORMS[name]
    bits = forms.weight.bits + forms.mean.bits + forms.square.bits
    assert 8 * sum(one.untyped_storage().nbytes() for one in held) == bits * numbers


def test_gradients_are_clipped_as_torch_does() -> None:
    """The same numbers, though the gradients themselves are left alone."""
    ours, theirs = layer(torch.float32), layer(torch.float32)
    for model in (ours, theirs):
        model.weight.grad = torch.linspace(-1, 1, 600)[None]

    norm = gradient_norm(trained_weights(ours))
    scale = clip_scale(norm, 0.5)

    assert torch.equal(norm, nn.utils.clip_grad_norm_(theirs.parameters(), 0.5))
    assert ours.weight.grad is not None
    assert scale is not None
    assert torch.equal(ours.weight.grad * scale, theirs.weight.grad)  # type: ignore[arg-type]  # set above
    assert clip_scale(norm, 0.0) is None
