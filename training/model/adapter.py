"""Training few weights instead of all: low-rank adapters (LoRA, Hu et al. 2021, arXiv:2106.09685).

Every linear layer W of the body becomes W + scale · B A, of which A and B are trained and W is frozen. The rows of the
template's keys are trained whole, in the embedding and in a head of its own: no adapter could teach a model to write
a token it never had. Before anything is measured or written the adapters are added to the weights, so a checkpoint is
an ordinary model; or they are kept apart from them, as they were trained.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from schemas.errors import DollyError, InputError
from training.config import TrainConfig

PROBE_TOKENS = 32
CLOSE = {torch.float32: 1e-4, torch.bfloat16: 0.05}
"""How far the merged model's logits may be from the adapted one's, as a share of their norm: rounding, by precision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapted:
    """A model with adapters in it."""

    model: Any
    """The model itself, changed in place."""
    tuned: Any
    """peft's wrapper around it."""

    @property
    def trained(self) -> int:
        """Parameters that are trained."""
        return sum(one.numel() for one in self.model.parameters() if one.requires_grad)


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What became of a run's adapters."""

    trained: int
    """Parameters that were trained."""
    distance: float
    """Between the logits of the merged and of the adapted model, as a share of their norm: what rounding cost;
    of a base in four bits, what four bits had cost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Adapters that are written as they are, beside the name of their base."""

    trained: int
    """Parameters that were trained."""
    rows: int
    """Of the embedding when they were: what the base has to be given before they fit it."""
    base: str
    """Where programs are told to find the base: a folder or a Hub id."""


def check_adapters(config: TrainConfig) -> None:
    """Refuse settings of adapters for a run that has none.

    Raises:
        InputError: says what is missing.
    """
    if not config.merge and not config.lora_rank:
        raise InputError(field="merge", expected="adapters to be kept: --lora-rank", found="--no-merge without any")


def adapt(model: Any, config: TrainConfig, keys: Collection[int]) -> Adapted | None:
    """Put adapters into `model` in place where the settings ask for them; of the tables the rows `keys` are trained.

    Raises:
        InputError: the model has no layer of a name in `lora_targets`.
    """
    if not config.lora_rank:
        return None
    from training.model.lora import attach  # noqa: PLC0415  # peft is slow to load, and most runs do without

    try:
        return Adapted(model=model, tuned=attach(model, config, keys))
    except ValueError as error:
        expected = "all-linear, or names of linear layers of this model, with commas between"
        raise InputError(field="lora_targets", expected=expected, found=config.lora_targets) from error


def merge(adapted: Adapted | None, dense: Callable[[], Any] | None = None) -> Merged | None:
    """Add the adapters to the model's weights, where it has any; what is left is an ordinary model.

    `dense` gives the base as it was before it was put into four bits, where it was: the adapters are added to that. It
    may be in the memory of the processor; its layers move to the model one by one.

    Raises:
        DollyError: the merged model is not the one that was trained.
    """
    if adapted is None:
        return None
    from training.model import lora  # noqa: PLC0415  # loaded by now

    model, trained = adapted.model, adapted.trained
    before = _logits(model)
    lora.merge(adapted.tuned, dense() if dense else None)
    distance = float((_logits(model) - before).norm() / before.norm())
    if dense is None and not distance <= CLOSE[model.dtype]:
        raise DollyError(f"merging the adapters moved the model's logits by {distance:.1%} of their norm")
    return Merged(trained=trained, distance=distance)


@torch.inference_mode()
def _logits(model: Any) -> Float[Tensor, "1 tokens vocabulary"]:
    was_training = model.training
    model.eval()
    rows = model.config.get_text_config().vocab_size
    ids = torch.randint(rows, (1, PROBE_TOKENS), generator=torch.Generator().manual_seed(0)).to(model.device)
    logits: Tensor = model(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False).logits
    model.train(was_training)
    return logits.float()
