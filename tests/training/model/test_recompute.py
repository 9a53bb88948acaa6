"""Less memory by doing work twice changes nothing that is learned."""

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from tests.training.model.test_loss import RECORDS, gradients, roomy, tiny_data
from tests.training.tiny import SIZES
from training.config import TrainConfig
from training.model import head
from training.model.head import rows_at_once, summed_cross_entropy
from training.model.loss import head_suffices
from training.model.recompute import recomputing
from training.records.batching import micro_batches
from training.step.loop import train


def weights(model: Any) -> list[torch.Tensor]:
    """Return a model's weights."""
    return [one.detach().clone() for one in model.parameters()]


@pytest.mark.parametrize("kind", SIZES)
def test_recomputing_learns_the_same_bytes(kind: str) -> None:
    """For every architecture, dropout included, tied embeddings or not."""
    learned = []
    for recompute in ("off", "on"):
        model = roomy(kind)
        config = TrainConfig(rows_per_step=3, lr=1e-3, micro_tokens=100, recompute=recompute)
        train(model, tiny_data(), config, pad_id=2)
        learned.append(weights(model))

    assert all(torch.equal(*pair) for pair in zip(*learned, strict=True))
    assert len(RECORDS) == 6


def test_a_model_that_recomputes_runs_its_layers_twice() -> None:
    """Forward for the loss, and again for the gradient; afterwards once."""
    model, runs = roomy("llama").train(), []
    (batch,) = micro_batches(tiny_data(), tokens=10_000, pad_id=2)
    model.model.layers[0].self_attn.register_forward_hook(lambda *_: runs.append(1))

    with recomputing(model, on=True):
        gradients(model, [batch], head_only=True)
    twice = len(runs)
    gradients(model, [batch], head_only=True)

    assert (twice, len(runs) - twice) == (2, 1)


@pytest.mark.parametrize("kind", ["llama", "gptj", "gpt_neox"])
def test_a_head_in_parts_gives_the_same_gradients(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loss and gradients to 1e-6 in fp32, tied and untied, with a bias and without."""
    model, batches = roomy(kind), list(micro_batches(tiny_data(), tokens=10_000, pad_id=2))
    assert head_suffices(model)
    whole = gradients(model, batches, head_only=True)

    monkeypatch.setattr(head, "SCORES_BYTES", head.BYTES_A_SCORE * 448 * 7)

    torch.testing.assert_close(gradients(model, batches, head_only=True), whole, atol=1e-6, rtol=1e-6)


def test_gradients_do_not_depend_on_how_many_are_made_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are independent: the same bytes for one row at a time as for all of them."""
    model, batches = roomy("llama"), list(micro_batches(tiny_data(), tokens=10_000, pad_id=2))
    monkeypatch.setattr(head, "SOFTMAX_ROWS", 10_000)
    whole = gradients(model, batches, head_only=True)

    monkeypatch.setattr(head, "SOFTMAX_ROWS", 1)

    torch.testing.assert_close(gradients(model, batches, head_only=True), whole, atol=0, rtol=0)


def test_a_head_in_parts_never_has_all_scores() -> None:
    """Of a hundred tokens no more than seven at once, in either pass; a small batch is one part, computed once."""
    layer, seen = nn.Linear(8, 50), []
    layer.register_forward_hook(lambda _, inputs, __: seen.append(len(inputs[0])))
    hidden, targets = torch.randn(100, 8, requires_grad=True), torch.arange(100) % 50

    summed_cross_entropy(layer, hidden, targets, 7).backward()  # type: ignore[no-untyped-call]  # torch
    cut = list(seen)
    summed_cross_entropy(layer, hidden, targets, 100).backward()  # type: ignore[no-untyped-call]  # torch

    assert (max(cut), sum(cut)) == (7, 200)
    assert seen[len(cut) :] == [100]


@pytest.mark.parametrize(("bias", "rows"), [(True, 7), (False, 7), (True, 1000)])
def test_a_plain_head_has_torchs_gradients(bias: bool, rows: int) -> None:  # a parameter of the test
    """Computed with the loss, to 1e-5 of torch's own; a frozen head has none, and what is under it still learns."""
    layer, targets = nn.Linear(8, 50, bias=bias), torch.arange(100) % 50
    hidden = torch.randn(100, 8, requires_grad=True)
    learning = [hidden, *layer.parameters()]

    ours = torch.autograd.grad(3 * summed_cross_entropy(layer, hidden, targets, rows), learning)
    frozen = torch.autograd.grad(3 * summed_cross_entropy(layer.requires_grad_(False), hidden, targets, rows), hidden)

    layer.requires_grad_(True)
    torchs = torch.autograd.grad(3 * functional.cross_entropy(layer(hidden), targets, reduction="sum"), learning)
    torch.testing.assert_close((*ours, *frozen), (*torchs, torchs[0]), atol=1e-5, rtol=1e-5)


def test_a_head_that_is_not_plain_is_left_to_torch() -> None:
    """A hook on it runs, and a class of its own computes what it computes."""

    class Doubled(nn.Linear):
        def forward(self, hidden: torch.Tensor) -> torch.Tensor:
            return 2 * super().forward(hidden)

    layer, hidden, targets = Doubled(8, 50), torch.randn(9, 8), torch.arange(9)

    loss = summed_cross_entropy(layer, hidden, targets, 4)

    torch.testing.assert_close(loss, functional.cross_entropy(layer(hidden), targets, reduction="sum"))


def test_a_larger_vocabulary_has_fewer_rows_at_once() -> None:
    """By the bytes that they take."""
    assert [rows_at_once(size) for size in (49_152, 262_144, 10**9)] == [682, 128, 1]
