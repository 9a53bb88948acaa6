"""AdamW on the model's own weights, with its state in the form that was asked for.

Bytes a parameter in bf16, weight and gradient included: `adamw` 16, `adamw-8bit` 10, `adamw-bf16` 8. The first two
keep weights that are fp32 to the last bit: the model has the upper half of them, the optimiser the lower.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw

from training.config import OptimiserName, TrainConfig
from training.step.forms import EXACT, ROUNDED, SIGNED, SPLIT, UNSIGNED, Dither, Form, noise_table

PART = {"cpu": 1 << 18}
"""Numbers that are updated at once on a processor: their fp32 forms stay in its cache."""
ACCELERATOR_PART = 1 << 22
"""The same on any other device, which idles on less."""


class Forms(NamedTuple):
    """How one optimiser holds what it keeps of a bf16 model; fp32 weights are always held as they are."""

    weight: Form
    mean: Form
    """Of the gradient."""
    square: Form
    """Of the squared gradient."""
    gradient: torch.dtype
    """In which the gradients of a step's micro-batches are summed."""


FORMS: Mapping[OptimiserName, Forms] = {
    "adamw": Forms(SPLIT, EXACT, EXACT, torch.float32),
    "adamw-8bit": Forms(SPLIT, SIGNED, UNSIGNED, torch.float32),
    "adamw-bf16": Forms(ROUNDED, ROUNDED, ROUNDED, torch.bfloat16),
}


class AdamW(torch.optim.Optimizer):
    """AdamW (Loshchilov and Hutter 2019), one part of one weight at a time.

    With `adamw` every weight is to the last bit what torch's fused AdamW makes of an fp32 copy. The state is tensors
    alone, flat and by name, and is made at the first step.
    """

    def __init__(self, weights: list[nn.Parameter], config: TrainConfig) -> None:
        super().__init__(weights, {"lr": config.lr})
        self._config = config
        self.forms = forms_of(config)

    @torch.no_grad()
    def step(self, closure: None = None, *, scale: Tensor | None = None) -> None:  # type: ignore[override]  # no closure
        """Change every weight that has a gradient; `scale` multiplies the gradients, which are left as they are."""
        assert closure is None
        for group in self.param_groups:
            for number, weight in enumerate(group["params"]):
                if weight.grad is not None:
                    self._change(weight, number, float(group["lr"]), scale)

    def _change(self, weight: Tensor, number: int, rate: float, scale: Tensor | None) -> None:
        own, gradient = _flat(weight), _flat(weight.grad)
        state = self.state[weight] = self.state[weight] or self._fresh(own)
        form = self._form(own)
        whole = (own, *(state[f"weight.{name}"] for name in form.parts[1:]))
        mean, square = (_held(state, name, one) for name, one in self._moments())
        size = PART.get(own.device.type, ACCELERATOR_PART)
        noise = Dither(self._config.seed, int(state["step"]), number, noise_table(2 * size, str(own.device)))
        for first in range(0, len(own), size):
            part = slice(first, min(first + size, len(own)))
            taken = gradient[part].float() if scale is None else gradient[part].float() * scale
            values = form.read(whole, part), self.forms.mean.read(mean, part), self.forms.square.read(square, part)
            self._update(taken, values, state["step"].clone(), rate)
            form.write(whole, part, values[0], noise)
            self.forms.mean.write(mean, part, values[1], noise)
            self.forms.square.write(square, part, values[2], noise)
        state["step"] += 1

    def _update(self, gradient: Tensor, values: tuple[Tensor, Tensor, Tensor], step: Tensor, rate: float) -> None:
        """Take AdamW's step in place on weight, mean and mean square, all in fp32, by torch's fused kernel."""
        config, (weight, mean, square) = self._config, values
        adamw(
            [weight], [gradient], [mean], [square], [], [step],
            fused=True, amsgrad=False, maximize=False, lr=rate, beta1=config.beta1, beta2=config.beta2,
            eps=config.eps, weight_decay=config.weight_decay,
        )  # fmt: skip

    def _form(self, weight: Tensor) -> Form:
        return EXACT if weight.dtype == torch.float32 else self.forms.weight

    def _moments(self) -> tuple[tuple[str, Form], ...]:
        return (("exp_avg", self.forms.mean), ("exp_avg_sq", self.forms.square))

    def _fresh(self, own: Tensor) -> dict[str, Tensor]:
        """Return the state of a weight before its first step."""
        form = self._form(own)
        state = {f"weight.{name}": torch.zeros_like(own, dtype=torch.int16) for name in form.parts[1:]}
        for name, one in self._moments():
            tensors = one.zeros(len(own), own.device)
            state |= {_key(name, part): tensor for part, tensor in zip(one.parts, tensors, strict=True)}
        return {**state, "step": torch.zeros((), device=own.device)}


def forms_of(config: TrainConfig) -> Forms:
    """Return how the optimiser of a run holds what it keeps."""
    return FORMS["adamw" if config.optimiser == "auto" else config.optimiser]


def trained_weights(model: nn.Module) -> dict[str, nn.Parameter]:
    """Return the weights that training changes, by name."""
    return {name: one for name, one in model.named_parameters() if one.requires_grad}


@contextmanager
def gradients_of(weights: Mapping[str, nn.Parameter]) -> Iterator[None]:
    """Leave the weights without gradients, which are of their own precision again, when the context ends."""
    try:
        yield
    finally:
        for weight in weights.values():
            weight.grad = None
            weight.grad_dtype = weight.dtype


def sum_in(weights: Mapping[str, nn.Parameter], dtype: torch.dtype) -> None:
    """Have the gradients summed in this precision from now on; a weight's own, or fp32."""
    for weight in weights.values():
        weight.grad = None
        weight.grad_dtype = dtype if weight.dtype != torch.float32 else torch.float32


def gradient_norm(weights: Mapping[str, nn.Parameter]) -> Tensor:
    """Return the norm of all gradients together, computed in fp32 whatever they are in."""
    norms = [
        torch.linalg.vector_norm(one.grad, dtype=torch.float32) for one in weights.values() if one.grad is not None
    ]
    norm: Tensor = torch.linalg.vector_norm(torch.stack(norms))
    return norm


def clip_scale(norm: Tensor, most: float) -> Tensor | None:
    """Return what gradients of this norm are multiplied by, as torch's `clip_grad_norm_` does; `most` 0: nothing."""
    return (most / (norm + 1e-6)).clamp(max=1.0) if most else None


def _flat(tensor: Any) -> Tensor:
    """Return the numbers that this process has of a tensor, in a row: of a sharded one its shard."""
    local: Tensor = tensor.to_local() if hasattr(tensor, "to_local") else tensor
    return local.detach().view(-1)


def _held(state: Mapping[str, Tensor], name: str, form: Form) -> tuple[Tensor, ...]:
    return tuple(state[_key(name, part)] for part in form.parts)


def _key(name: str, part: str) -> str:
    return f"{name}.{part}" if part else name
