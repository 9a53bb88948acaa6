"""The loss is the mean over the response tokens, however it is computed and however a step is cut."""

from collections.abc import Sequence
from typing import Any

import pytest
import torch

from schemas.prompt import TEMPLATES
from tests.support import pair
from tests.training.tiny import SIZES, tiny_model, tiny_tokenizer
from training.model.load import make_room
from training.model.loss import head_suffices, response_loss
from training.records.batching import MicroBatch, micro_batches
from training.records.encoding import Example, add_keys, encoder
from training.step.loop import backward

RECORDS = [pair(f"Add {number} and two.", "The answer is " + "five " * (number + 1)) for number in range(6)]
CAPPED = {"gemma2", "granite"}
"""Architectures whose logits are more than their head on their last hidden state."""


def tiny_data() -> list[Example]:
    """Return a few examples of different lengths."""
    tokenizer = tiny_tokenizer()
    add_keys(tokenizer, TEMPLATES["dolly-v1"])
    return list(encoder(tokenizer, TEMPLATES["dolly-v1"]).examples(RECORDS))


def roomy(kind: str) -> Any:
    """Return a tiny model with rows for Dolly's keys."""
    tokenizer, model = tiny_tokenizer(), tiny_model(kind)
    known = len(tokenizer)
    add_keys(tokenizer, TEMPLATES["dolly-v1"])
    make_room(model, tokenizer, known)
    return model


def gradients(model: Any, batches: Sequence[MicroBatch], *, head_only: bool) -> list[torch.Tensor]:
    """Return the gradient of every weight after a step's backward pass."""
    model.zero_grad()
    backward(model, batches, head_only=head_only)
    return [weight.grad.clone() for weight in model.parameters() if weight.grad is not None]


@pytest.mark.parametrize("kind", SIZES)
def test_the_short_head_is_used_where_it_is_right(kind: str) -> None:
    """Found out on the model: soft caps and scales make the difference."""
    assert head_suffices(roomy(kind)) == (kind not in CAPPED)


@pytest.mark.parametrize("kind", SIZES)
def test_our_loss_is_the_models_own(kind: str) -> None:
    """Sum over the supervised tokens by their number equals what transformers computes from the same labels."""
    model = roomy(kind)
    (batch,) = micro_batches(tiny_data(), tokens=10_000, pad_id=2)

    ours = response_loss(model, batch, head_only=head_suffices(model)) / batch.supervised

    theirs = model(input_ids=batch.input_ids, attention_mask=batch.attention_mask, labels=batch.labels).loss
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", sorted(set(SIZES) - CAPPED))
def test_the_short_head_gives_the_gradients_of_all_logits(kind: str) -> None:
    """To float noise, tied embeddings included."""
    model, batches = roomy(kind), list(micro_batches(tiny_data(), tokens=200, pad_id=2))

    short = gradients(model, batches, head_only=True)

    torch.testing.assert_close(short, gradients(model, batches, head_only=False), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("budget", [1, 60, 100, 300])
@pytest.mark.parametrize("kind", ["llama", "gpt_neox", "gemma2"])
def test_any_cut_gives_the_same_gradients(kind: str, budget: int) -> None:
    """One micro-batch or many, sorted or padded: the step is the step."""
    model, data = roomy(kind), tiny_data()
    head_only = head_suffices(model)
    whole = gradients(model, list(micro_batches(data, tokens=10_000, pad_id=2)), head_only=head_only)

    cut = gradients(model, list(micro_batches(data, tokens=budget, pad_id=2)), head_only=head_only)

    torch.testing.assert_close(cut, whole, atol=1e-5, rtol=1e-5)


def test_the_test_of_cuts_can_fail() -> None:
    """The mean of the micro-batches' means, which trainers used to take, is another gradient."""
    model, data = roomy("llama"), tiny_data()
    batches = list(micro_batches(data, tokens=100, pad_id=2))
    whole = gradients(model, batches, head_only=True)

    model.zero_grad()
    for batch in batches:
        backward(model, [batch], head_only=True)
    means = [weight.grad / len(batches) for weight in model.parameters()]

    assert max(float((one - other).abs().max()) for one, other in zip(means, whole, strict=True)) > 1e-4
