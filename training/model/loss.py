"""The loss on response tokens, computing the vocabulary only where a response token is predicted.

About half of Alpaca's tokens are prompt; for a small model the vocabulary is a third of the work. Whether a model's
logits are nothing but its head on its last hidden state (no soft cap, no scale) is found out on the model itself
rather than from a list of names.
"""

from typing import Any

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from schemas.weights import head_suffices
from training.model.head import rows_at_once, summed_cross_entropy
from training.records.batching import MicroBatch
from training.records.encoding import IGNORED

__all__ = ["head_suffices", "response_loss"]


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


def _hidden(model: Any, batch: MicroBatch) -> Float[Tensor, "rows length width"]:
    hidden: Tensor = model.base_model(**batch.inputs, use_cache=False)[0]
    return hidden


def _all_logits(model: Any, batch: MicroBatch) -> Float[Tensor, "rows length vocabulary"]:
    logits: Tensor = model(**batch.inputs, use_cache=False).logits
    return logits
