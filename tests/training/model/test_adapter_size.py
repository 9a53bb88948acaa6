"""What adapters need is counted: frozen weights have no gradient, no state and fewer operations."""

from dataclasses import replace

import pytest
import torch

from tests.training.architectures import ARCHITECTURES, Architecture
from tests.training.model.test_adapter import CONFIG, adapted_model, keys
from tests.training.model.test_loss import roomy
from tests.training.planning.test_footprint import LENGTH, ROWS, really_saved
from training.model.adapter import adapt
from training.planning.footprint import footprint, meta_model, operations, saved_bytes, sizes
from training.records.batching import Shape

SHAPE = Shape(ROWS, LENGTH, 10)


@pytest.mark.parametrize("one", ARCHITECTURES, ids=lambda one: one.kind)
def test_sizes_on_meta_are_those_of_the_adapted_model(one: Architecture) -> None:
    """Trained, frozen and body; tied tables are counted once."""
    model = adapted_model(one.kind).model
    meta = meta_model(model.config, roomy(one.kind).get_input_embeddings().weight.shape[0], torch.float32)
    adapt(meta, CONFIG, keys())

    assert sizes(meta) == sizes(model)
    assert sizes(model).frozen == sizes(roomy(one.kind)).parameters
    assert sizes(model).frozen_body == sizes(roomy(one.kind)).body
    assert sizes(model).frozen_head


@pytest.mark.parametrize("kind", ["llama", "gpt_neox", "gemma3_text", "opt"])
def test_activations_counted_are_those_kept(kind: str) -> None:
    """By a real adapted model, within a tenth."""
    model = adapted_model(kind).model.train()
    meta = meta_model(model.config, 448, torch.float32)
    adapt(meta, CONFIG, keys())

    assert saved_bytes(meta, SHAPE) == pytest.approx(really_saved(model), rel=0.1)


def test_state_is_of_the_adapters_alone() -> None:
    """The weights stay, gradients and moments shrink to what is trained."""
    config, vocabulary = roomy("llama").config, 448
    full, meta = (meta_model(config, vocabulary, torch.bfloat16) for _ in range(2))
    adapt(meta, CONFIG, keys())
    trained = sum(one.numel() for one in meta.parameters() if one.requires_grad)

    whole, small = footprint(full, SHAPE, replace(CONFIG, lora_rank=0)), footprint(meta, SHAPE, CONFIG)

    assert small.weights == whole.weights + 2 * trained
    assert (small.copies, small.gradients, small.moments) == (2 * trained, 4 * trained, 8 * trained)


def test_a_frozen_weight_is_four_operations_a_token() -> None:
    """Forward, and backward through it: its own gradient is not computed."""
    full, model = sizes(roomy("llama")), sizes(adapted_model("llama").model)
    adapters = model.body - full.body

    difference = operations(model, SHAPE) - operations(full, SHAPE)

    head = SHAPE.supervised * full.hidden * full.vocabulary
    assert difference == SHAPE.padded_tokens * (6 * adapters - 2 * full.body) - 2 * head
