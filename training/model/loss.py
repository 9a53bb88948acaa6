"""The loss on response tokens, computing the vocabulary only where a response token is predicted.

About half of Alpaca's tokens are prompt; for a small model the vocabulary is a third of the work. Whether a model's
logits are nothing but its head on its last hidden state (no soft cap, no scale) is found out on the model itself
rather than from a list of names.
"""

from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from schemas.weights import head_suffices
from training.model.head import rows_at_once, summed_cross_entropy
from training.records.batching import MicroBatch
from training.records.encoding import IGNORED

__all__ = ["head_suffices", "response_loss", "row_losses"]


def response_loss(model: Any, batch: MicroBatch, *, head_only: bool) -> Float[Tensor, ""]:
    """Return the sum of the cross entropy over the supervised tokens of a batch, in nats, computed in fp32.

    `head_only` needs `head_suffices(model)`; without it the model computes all logits.
    """
    targets = batch.labels[:, 1:]
    wanted = targets != IGNORED
    if not head_only:
        logits = _all_logits(model, batch)[:, :-1][wanted]
        return functional.cross_entropy(logits.float(), targets[wanted], reduction="sum")
    head = model.get_output_embeddings()
    rows = rows_at_once(model.config.get_text_config().vocab_size)
    return summed_cross_entropy(head, _hidden(model, batch)[:, :-1][wanted], targets[wanted], rows)


def row_losses(model: Any, batch: MicroBatch, *, head_only: bool) -> Float[Tensor, " rows"]:
    """Return the summed cross entropy over the supervised tokens of each row, in nats, computed in fp32."""
    targets = batch.labels[:, 1:]
    wanted = targets != IGNORED
    logits = _logits(model, batch, wanted, head_only=head_only)
    each = functional.cross_entropy(logits.float(), targets[wanted], reduction="none")
    rows = torch.arange(len(targets), device=targets.device)[:, None].expand_as(targets)[wanted]
    return torch.zeros(len(targets), device=each.device).index_add(0, rows, each)


def _logits(
    model: Any, batch: MicroBatch, wanted: Bool[Tensor, "rows shorter"], *, head_only: bool
) -> Float[Tensor, "wanted vocabulary"]:
    """Return the logits that predict the tokens marked in `wanted`; those stand one place before them."""
    return _response_logits(model, batch, wanted) if head_only else _all_logits(model, batch)[:, :-1][wanted]


def _response_logits(
    model: Any, batch: MicroBatch, wanted: Bool[Tensor, "rows shorter"]
) -> Float[Tensor, "wanted vocabulary"]:
    logits: Tensor = model.get_output_embeddings()(_hidden(model, batch)[:, :-1][wanted])
    return logits


def _hidden(model: Any, batch: MicroBatch) -> Float[Tensor, "rows length width"]:
    hidden: Tensor = model.base_model(**batch.inputs, use_cache=False)[0]
    return hidden


def _all_logits(model: Any, batch: MicroBatch) -> Float[Tensor, "rows length vocabulary"]:
    logits: Tensor = model(**batch.inputs, use_cache=False).logits
    return logits
