"""The loss as training computes it, over padded micro-batches: what faster ways must agree with."""

from collections.abc import Sequence
from typing import Any

import torch

from training.model.loss import head_suffices, response_loss
from training.records.batching import micro_batches
from training.records.encoding import Example


@torch.inference_mode()
def mean_loss(model: Any, examples: Sequence[Example], *, pad_id: int, tokens: int) -> float:
    """Return the mean loss over the supervised tokens of the examples, in nats; the model is left as it was."""
    was_training, head_only = model.training, head_suffices(model)
    model.eval()
    batches = list(micro_batches(examples, tokens=tokens, pad_id=pad_id))
    total = sum(float(response_loss(model, batch.to(model.device), head_only=head_only)) for batch in batches)
    model.train(was_training)
    return total / sum(batch.supervised for batch in batches)
