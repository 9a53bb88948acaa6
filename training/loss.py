"""The loss on response tokens, computing the vocabulary only where a response token is predicted.

About half of Alpaca's tokens are prompt; for a small model the vocabulary is a third of the work. Whether a model's
logits are nothing but its head on its last hidden state (no soft cap, no scale) is found out on the model itself
rather than from a list of names.
"""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from training.batching import MicroBatch
from training.encoding import IGNORED
from training.head import rows_at_once, summed_cross_entropy

PROBE_TOKENS = 8
"""Length of the text on which a head is tried."""


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
    rows = rows_at_once(head.weight.shape[0])
    return summed_cross_entropy(head, _hidden(model, batch)[:, :-1][wanted], targets[wanted], rows)


@torch.no_grad()
def head_suffices(model: Any) -> bool:
    """Say whether the model's logits are its output embedding on its last hidden state."""
    head = model.get_output_embeddings()
    if head is None or model.base_model is model:
        return False
    training = model.training
    model.eval()
    probe = _probe(model)
    full = model(**probe, use_cache=False).logits
    short = head(model.base_model(**probe, use_cache=False)[0])
    model.train(training)
    return full.shape == short.shape and torch.equal(full, short)


def _probe(model: Any) -> dict[str, Int[Tensor, "1 length"]]:
    rows = model.get_input_embeddings().weight.shape[0]
    ids = torch.arange(PROBE_TOKENS, device=model.device)[None] % rows
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


def _hidden(model: Any, batch: MicroBatch) -> Float[Tensor, "rows length width"]:
    hidden: Tensor = model.base_model(input_ids=batch.input_ids, attention_mask=batch.attention_mask, use_cache=False)[
        0
    ]
    return hidden


def _all_logits(model: Any, batch: MicroBatch) -> Float[Tensor, "rows length vocabulary"]:
    logits: Tensor = model(input_ids=batch.input_ids, attention_mask=batch.attention_mask, use_cache=False).logits
    return logits
