"""The vocabulary's scores and their loss, for so many tokens at once that memory does not depend on a batch.

A row of scores is as long as the vocabulary: for the 262,144 tokens of Gemma 3 a thousand response tokens need 2.6 GB.
The gradient of a loss in its scores is known as soon as the scores are (softmax less the right answer), so a part's
share of the gradient is computed while its scores are there, and stands where they stood; nothing is kept of them, and
nothing computed twice. The idea is Liger Kernel's (Hsu et al. 2024, arXiv:2410.10989).

A head that is more than a matrix and a bias (an adapter's, one divided over devices) is left to torch, whose gradients
need the scores again: what is cut is then computed twice.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

BYTES_A_SCORE = 8
"""A score, and its softmax in fp32."""
SCORES_BYTES = 1 << 28
"""Bytes that the scores of one part may take: 682 tokens of SmolLM2's vocabulary, 128 of Gemma's."""
SOFTMAX_ROWS = 32
"""Of those, how many a processor turns into gradients at a time: 6 MB, which stay in its cache."""


def rows_at_once(vocabulary: int) -> int:
    """Return for how many tokens the scores are computed at once."""
    return max(1, SCORES_BYTES // (BYTES_A_SCORE * vocabulary))


def summed_cross_entropy(
    head: Callable[[Tensor], Tensor], hidden: Float[Tensor, "wanted width"], targets: Int[Tensor, " wanted"], rows: int
) -> Float[Tensor, ""]:
    """Return the sum of the cross entropy of a head's scores in nats, computed in fp32, `rows` tokens at a time."""
    if torch.is_grad_enabled() and isinstance(head, nn.Linear) and _is_plain(head):
        total: Tensor = _Fused.apply(hidden, head.weight, head.bias, targets, rows)  # type: ignore[no-untyped-call]  # torch
        return total
    return _by_torch(head, hidden, targets, rows)


def _is_plain(head: nn.Linear) -> bool:
    """Say whether a head is its weights on one device and nothing more: a subclass or a hook may compute otherwise."""
    hooks = (head._forward_hooks, head._forward_pre_hooks, head._backward_hooks, head._backward_pre_hooks)  # noqa: SLF001  # torch has no public names
    return type(head) is nn.Linear and type(head.weight) is nn.Parameter and not any(hooks)


class _Fused(torch.autograd.Function):
    """The loss of a linear head, whose gradients are computed with it."""

    @staticmethod
    def forward(ctx: Any, *given: Any) -> Tensor:
        """Return the summed loss, and keep its gradients."""
        hidden, weight, bias, targets, rows = given
        asked = zip((hidden, weight, bias), ctx.needs_input_grad, strict=False)
        slopes = [torch.zeros_like(one) if one is not None and wanted else None for one, wanted in asked]
        total = torch.zeros((), device=hidden.device)
        for first in range(0, len(hidden), rows):
            some = slice(first, first + rows)
            scores = functional.linear(hidden[some], weight, bias)
            total += _to_slope(scores, targets[some])
            _add_slopes(slopes, some, scores, (hidden, weight))
        ctx.save_for_backward(*slopes)
        return total

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients in `hidden`, `weight` and `bias`."""
        return (*(None if one is None else one * outer[0] for one in ctx.saved_tensors), None, None)


def _to_slope(scores: Float[Tensor, "some all"], targets: Int[Tensor, " some"]) -> Float[Tensor, ""]:
    """Put the loss's gradient in the scores into their place, and return the summed loss."""
    rows = SOFTMAX_ROWS if scores.device.type == "cpu" else len(scores)
    total = torch.zeros((), device=scores.device)
    for part, right in zip(torch.split(scores, rows), torch.split(targets, rows), strict=True):
        logs = functional.log_softmax(part, -1, dtype=torch.float32)
        total += functional.nll_loss(logs, right, reduction="sum")
        slope = logs.exp_()
        slope[torch.arange(len(right), device=right.device), right] -= 1
        part.copy_(slope)
    return total


def _add_slopes(slopes: Sequence[Tensor | None], some: slice, slope: Tensor, of: tuple[Tensor, Tensor]) -> None:
    """Add a part's share to the gradients that are wanted."""
    (hidden, weight), (in_hidden, in_weight, in_bias) = of, slopes
    if in_hidden is not None:
        torch.mm(slope, weight, out=in_hidden[some])
    if in_weight is not None:
        in_weight.addmm_(slope.T, hidden[some])
    if in_bias is not None:
        in_bias += slope.sum(0)


def _by_torch(
    head: Callable[[Tensor], Tensor], hidden: Float[Tensor, "wanted width"], targets: Int[Tensor, " wanted"], rows: int
) -> Float[Tensor, ""]:
    def loss(some: Tensor, wanted: Tensor) -> Tensor:
        return functional.cross_entropy(head(some).float(), wanted, reduction="sum")

    if len(hidden) <= rows:
        return loss(hidden, targets)
    parts = zip(torch.split(hidden, rows), torch.split(targets, rows), strict=True)
    return torch.stack([checkpoint(loss, *part, use_reentrant=False) for part in parts]).sum()
