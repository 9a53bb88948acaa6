"""What a run needs is counted on shapes alone, and is what the real model keeps."""

from typing import Any

import pytest
import torch
from transformers import AutoConfig

from tests.training.tiny import SIZES, tiny_model
from training.config import OptimiserName, TrainConfig
from training.model.recompute import recomputing
from training.planning.footprint import footprint, meta_model, operations, saved_bytes, sizes
from training.records.batching import Shape

ROWS, LENGTH = 3, 40


def really_saved(model: Any) -> int:
    """Return what a model with numbers keeps for its backward pass, each storage once."""
    own = {one.untyped_storage().data_ptr() for one in (*model.parameters(), *model.buffers())}
    kept: dict[int, torch.Tensor] = {}

    def keep(saved: torch.Tensor) -> torch.Tensor:
        kept.setdefault(saved.untyped_storage().data_ptr(), saved)
        return saved

    ids = torch.zeros(ROWS, LENGTH, dtype=torch.long)
    mask = torch.ones(LENGTH, LENGTH, dtype=torch.bool).tril().expand(ROWS, 1, LENGTH, LENGTH)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda saved: saved):
        body = model.base_model
        out = body(input_ids=ids, attention_mask=mask, position_ids=torch.arange(LENGTH)[None], use_cache=False)
    del out
    return sum(one.untyped_storage().nbytes() for at, one in kept.items() if at not in own)


@pytest.mark.parametrize("kind", SIZES)
def test_what_is_counted_is_what_the_model_keeps(kind: str) -> None:
    """For every architecture, within a tenth; a processor's fused attention has no dropout, so there is none here."""
    without_dropout: dict[str, Any] = {"attn_pdrop": 0.0} if kind == "gpt2" else {}
    model = tiny_model(kind, **without_dropout).train()
    meta = meta_model(model.config, 420, torch.float32)

    counted, real = saved_bytes(meta, Shape(ROWS, LENGTH, 10)), really_saved(model)

    assert sizes(meta).parameters == sum(one.numel() for one in model.parameters())
    assert counted == pytest.approx(real, rel=0.1)


@pytest.mark.parametrize("kind", SIZES)
def test_recompute_keeps_the_inputs_of_layers_and_one_layer(kind: str) -> None:
    """What the real model keeps between the passes is counted, and a layer on top of it."""
    without_dropout: dict[str, Any] = {"attn_pdrop": 0.0} if kind == "gpt2" else {}
    model = tiny_model(kind, **without_dropout).train()
    meta, shape = meta_model(model.config, 420, torch.float32), Shape(ROWS, LENGTH, 10)
    kept, again = saved_bytes(meta, shape), saved_bytes(meta, shape, recompute=True)
    inputs = 2 * ROWS * LENGTH * 32 * 4

    with recomputing(model, on=True):
        real = really_saved(model)

    assert real <= again - inputs < kept


@pytest.mark.parametrize(("name", "states"), [("adamw", 16), ("adamw-8bit", 10), ("adamw-bf16", 8)])
def test_each_optimiser_is_counted(name: OptimiserName, states: int) -> None:
    """Bytes a parameter in bf16, its scales a hundredth of one more."""
    model = meta_model(AutoConfig.for_model("gpt2"), 50304, torch.bfloat16)
    one = footprint(model, Shape(1, 64, 30), TrainConfig(optimiser=name))

    held = one.weights + one.copies + one.gradients + one.moments
    assert held / sizes(model).parameters == pytest.approx(states, rel=0.005)


@pytest.mark.parametrize(
    ("settings", "dtype", "devices", "bytes_each"),
    [
        ({}, torch.bfloat16, 1, 12),
        ({}, torch.float32, 1, 12),
        ({"optimiser": "adamw-8bit"}, torch.bfloat16, 1, 6),
        ({"optimiser": "adamw-bf16"}, torch.bfloat16, 1, 6),
        ({"parallel": "sharded"}, torch.bfloat16, 4, 3),
    ],
)
def test_the_copy_of_a_state_is_what_is_saved(
    settings: dict[str, Any], dtype: torch.dtype, devices: int, bytes_each: int
) -> None:
    """Weights, their other halves and moments, of a divided model a device's part; it is not in the total."""
    model = meta_model(AutoConfig.for_model("gpt2"), 50304, dtype)
    one = footprint(model, Shape(1, 64, 30), TrainConfig(**settings), devices)

    assert one.copy / sizes(model).parameters == pytest.approx(bytes_each, rel=0.01)
    assert one.total == sum(one.parts.values())
    assert set(one.parts) == {"weights", "copies", "gradients", "moments", "activations", "logits"}


def test_more_tokens_need_more() -> None:
    """Activations grow with the micro-batch, states do not."""
    model = meta_model(AutoConfig.for_model("gpt2"), 50304, torch.bfloat16)
    small, large = (footprint(model, Shape(rows, 128, rows * 60), TrainConfig()) for rows in (2, 8))

    assert large.activations == pytest.approx(4 * small.activations, rel=0.1)
    assert large.logits == 4 * small.logits
    assert (large.weights, large.copies, large.moments) == (small.weights, small.copies, small.moments)


def test_gpt_j_by_hand() -> None:
    """The calculation in docs/training.md: 16 bytes a parameter, activations after Korthikanti et al. (2205.05198)."""
    layers, hidden, heads, vocabulary, length, response = 28, 4096, 16, 50432, 512, 256
    attention, feed_forward = 4 * hidden**2, 8 * hidden**2 + 5 * hidden
    parameters = layers * (attention + feed_forward + 2 * hidden) + 2 * vocabulary * hidden + vocabulary + 2 * hidden
    states = 16 * parameters
    activations = layers * length * (34 * hidden + 5 * heads * length)
    logits = response * vocabulary * 10

    model = meta_model(AutoConfig.for_model("gptj"), vocabulary, torch.bfloat16)
    counted = footprint(model, Shape(1, length, response), TrainConfig())

    assert sizes(model).parameters == parameters
    assert counted.total == pytest.approx(states + activations + logits, rel=0.1)
    assert counted.logits == logits


def test_the_other_half_is_kept_of_bf16_only() -> None:
    """In fp32 the optimiser changes the model's own weights."""
    one = footprint(meta_model(AutoConfig.for_model("gpt2"), 50304, torch.float32), Shape(1, 64, 30), TrainConfig())

    assert one.copies == 0
    assert one.weights == one.gradients == one.moments // 2


def test_operations_are_six_a_parameter_and_token() -> None:
    """And for the head, six a response token; attention's products are a small part of a short text."""
    size = sizes(meta_model(AutoConfig.for_model("gptj"), 50432, torch.bfloat16))
    done = operations(size, Shape(8, 128, 500))

    assert done == pytest.approx(6 * size.body * 1024 + 6 * 500 * 4096 * 50432, rel=0.02)
