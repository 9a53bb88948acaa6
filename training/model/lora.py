"""Low-rank adapters by peft, with the rows of the keys trained beside them; imported only where a run has adapters.

peft's own layer for single rows copies the whole table at every step, forward and backward, and drops the bias of a
head. `KeyRows` computes the few rows and puts them where they belong; weights, names and files stay peft's.
"""

import warnings
from collections.abc import Collection, Iterator
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.tuners.lora import LoraLayer
from peft.tuners.trainable_tokens import TrainableTokensLayer
from torch import Tensor, nn
from torch.nn import functional
from transformers.pytorch_utils import Conv1D

from training.config import TrainConfig
from training.model.quantised import keep_layout, restore

NAME = "default"
"""peft's name of the only adapter."""


class KeyRows(TrainableTokensLayer):  # type: ignore[misc]  # peft is untyped
    """An embedding or a head of which a few rows are trained; the others are not even read for it."""

    def forward_adapters(self, x: Tensor, _active: Any, *_: Any, **__: Any) -> Tensor:
        """Return what the frozen table gives, with the trained rows in their places."""
        out: Tensor = self.base_layer(x)
        rows: Tensor = self.trainable_tokens_delta[NAME]
        ids = torch.tensor(self.token_indices[NAME], device=x.device)
        if not isinstance(self.base_layer, nn.Embedding):
            bias = None if self.base_layer.bias is None else self.base_layer.bias[ids]
            return out.index_copy_(-1, ids, functional.linear(x, rows, bias))
        scale = self._get_embed_scale()
        rows = rows if scale is None else rows * scale.to(rows.dtype)
        which = x[..., None] == ids
        return torch.where(which.any(-1, keepdim=True), which.to(rows.dtype) @ rows, out)


def attach(model: Any, config: TrainConfig, keys: Collection[int]) -> PeftModel:
    """Put adapters into `model` in place; all else in it is frozen. They change nothing before the first step."""
    with torch.random.fork_rng(range(torch.cuda.device_count())), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="fan_in_fan_out is set to")  # it then does what is right
        torch.manual_seed(config.seed)
        tuned = get_peft_model(model, _settings(model, config, keys), autocast_adapter_dtype=False)
    made_ours(model)
    return tuned


def made_ours(model: Any) -> None:
    """Compute what peft has put into `model` as it is computed here: a table's rows alone, in the model's precision."""
    for one in model.modules():
        if type(one) is TrainableTokensLayer:
            one.__class__ = KeyRows
    keep_layout(model)
    for weight in model.parameters():
        if weight.requires_grad:
            weight.data = weight.data.to(model.dtype)


def _settings(model: Any, config: TrainConfig, keys: Collection[int]) -> LoraConfig:
    targets = config.lora_targets
    return LoraConfig(
        task_type="CAUSAL_LM",
        r=config.lora_rank,
        lora_alpha=config.lora_alpha,
        lora_dropout=config.lora_dropout,
        target_modules=targets if targets == "all-linear" else targets.split(","),
        trainable_token_indices={name: sorted(keys) for name in _table_names(model)} if keys else None,
    )


def _table_names(model: Any) -> Iterator[str]:
    """Yield the name of the embedding, and of the head where it has weights of its own."""
    inputs, outputs = model.get_input_embeddings(), model.get_output_embeddings()
    tied = outputs is None or outputs.weight is inputs.weight
    yield from (name for name, one in model.named_modules() if one is inputs or (one is outputs and not tied))


@torch.no_grad()
def merge(tuned: PeftModel, dense: Any = None) -> None:
    """Add the adapters to the weights of the model they are in, in fp32 and rounded once, and take them out.

    With `dense`, the base before it was put into four bits, each layer of it takes the place of the one in four bits,
    which is let go before the next one comes.
    """
    model = tuned.get_base_model()
    for name, one in model.named_modules():
        if isinstance(one, LoraLayer):
            change = difference(one)
            if dense:
                layer = dense.get_submodule(name).to(change.device)
                one.base_layer.weight = None  # it refers to its layer: without this both would stay for a while
                one.base_layer = layer
            layer = one.get_base_layer()
            layer.weight.copy_(layer.weight.float() + (change.T if isinstance(layer, Conv1D) else change))
        elif isinstance(one, KeyRows):
            one.base_layer.weight[one.token_indices[NAME]] = one.trainable_tokens_delta[NAME]
    tuned.unload()
    if dense:
        restore(model, dense)


def difference(layer: LoraLayer) -> Tensor:
    """Return what an adapter adds to the weight of a linear layer, in fp32."""
    down, up = layer.lora_A[NAME].weight.float(), layer.lora_B[NAME].weight.float()
    change: Tensor = up @ down * layer.scaling[NAME]
    return change
