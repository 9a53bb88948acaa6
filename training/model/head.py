"""The vocabulary's scores and their loss, for so many tokens at once that memory does not depend on a batch.

A row of scores is as long as the vocabulary: for the 262,144 tokens of Gemma 3 a thousand response tokens need 2.6 GB.
What is cut is computed again in the backward pass, where one part after the other is needed; a batch that is one part
costs nothing more.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

BYTES_A_SCORE = 10
"""A score in bf16, its softmax in fp32 and the gradient of that."""
SCORES_BYTES = 1 << 28
"""Bytes that the scores of one part may take: 546 tokens of SmolLM2's vocabulary, 102 of Gemma's."""


def rows_at_once(vocabulary: int) -> int:
    """Return for how many tokens the scores are computed at once."""
    return max(1, SCORES_BYTES // (BYTES_A_SCORE * vocabulary))


def summed_cross_entropy(
    head: Callable[[Tensor], Tensor], hidden: Float[Tensor, "wanted width"], targets: Int[Tensor, " wanted"], rows: int
) -> Float[Tensor, ""]:
    """Return the sum of the cross entropy of a head's scores in nats, computed in fp32, `rows` tokens at a time."""

    def loss(some: Tensor, wanted: Tensor) -> Tensor:
        return functional.cross_entropy(head(some).float(), wanted, reduction="sum")

    if len(hidden) <= rows:
        return loss(hidden, targets)
    parts = zip(torch.split(hidden, rows), torch.split(targets, rows), strict=True)
    return torch.stack([checkpoint(loss, *part, use_reentrant=False) for part in parts]).sum()
