"""AdamW on the weights that it changes: the model's own, or fp32 copies of them where the model computes in bf16."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from training.config import TrainConfig


class Masters:
    """The weights that the optimiser changes: fp32 copies where the model's are bf16, else the model's own."""

    def __init__(self, model: nn.Module) -> None:
        own = {name: one for name, one in model.named_parameters() if one.requires_grad}
        self.named: Mapping[str, nn.Parameter] = {
            name: one if one.dtype == torch.float32 else nn.Parameter(one.detach().float()) for name, one in own.items()
        }
        self.weights = list(self.named.values())
        self._copied = [(one, self.named[name]) for name, one in own.items() if one is not self.named[name]]
        self._hooks = [_hook(own, _move_to(master)) for own, master in self._copied]

    @torch.no_grad()
    def write_back(self) -> None:
        """Round the copies into the model."""
        for own, master in self._copied:
            own.copy_(master)

    def release(self) -> None:
        """Leave the model as an ordinary one."""
        for hook in self._hooks:
            hook.remove()
        for weight in self.weights:
            weight.grad = None


@contextmanager
def masters_of(model: nn.Module) -> Iterator[Masters]:
    """Give the optimiser its weights for as long as the context lasts."""
    masters = Masters(model)
    try:
        yield masters
    finally:
        masters.release()


def _hook(weight: nn.Parameter, move: Callable[[Tensor], None]) -> RemovableHandle:
    handle: RemovableHandle = weight.register_post_accumulate_grad_hook(move)  # type: ignore[no-untyped-call]  # torch
    return handle


def _move_to(master: nn.Parameter) -> Callable[[Tensor], None]:
    """Return the hook that adds a gradient to the fp32 copy as soon as it is complete."""

    def move(own: Tensor) -> None:
        assert own.grad is not None
        master.grad = own.grad.float() if master.grad is None else master.grad.add_(own.grad)
        own.grad = None

    return move


def adamw(weights: list[nn.Parameter], config: TrainConfig) -> torch.optim.AdamW:
    """Return AdamW with the settings of a run, its update fused into one pass over the weights."""
    return torch.optim.AdamW(
        weights,
        lr=config.lr,
        betas=(config.beta1, config.beta2),
        eps=config.eps,
        weight_decay=config.weight_decay,
        fused=True,
    )
