"""How much memory a run needs on a device, before its model is loaded, and how many operations it is.

Weights and optimiser are counted from the model's shapes. Activations are not estimated by a formula for one
architecture: the model is run on torch's meta device, which computes shapes and nothing else, and every tensor that
its backward pass would need is counted once. Attention is taken as fused (it keeps its output, not its scores) where
the model lets torch choose.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import AutoModelForCausalLM
from transformers.modeling_layers import GradientCheckpointingLayer

from training.config import TrainConfig
from training.model.head import rows_at_once
from training.model.quantised import BYTES
from training.records.batching import Shape
from training.step.optimiser import forms_of

FP32 = 4
"""Bytes of a number in fp32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """Bytes on one device."""

    weights: int
    """The model's own, in the precision it computes in."""
    copies: int
    """What the optimiser keeps of weights in bf16: the bits that they lack to fp32; this device's part, in fp32."""
    gradients: int
    """Summed over a step's micro-batches."""
    moments: int
    """AdamW's two."""
    activations: int
    """What the backward pass of the largest micro-batch needs."""
    logits: int
    """The vocabulary's scores for its response tokens, their softmax in fp32 and the gradient of that."""
    copy: int
    """Of the device's part of a state, in its machine's memory, while it is written and training goes on."""

    @property
    def total(self) -> int:
        """All of it but the copy, without which a state is written more slowly."""
        return sum(self.parts.values())

    @property
    def parts(self) -> dict[str, int]:
        """What the total is made of."""
        return {name: size for name, size in asdict(self).items() if name != "copy"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """What of a model decides memory and time."""

    parameters: int
    body: int
    """Parameters that multiply every token: all but embeddings and head."""
    layers: int
    hidden: int
    vocabulary: int
    frozen: int = 0
    """Parameters that are not trained."""
    frozen_body: int = 0
    """Those of them that are in the body."""
    frozen_head: bool = False
    """Whether the head is not trained, a few rows apart."""


def meta_model(config: Any, vocabulary: int, dtype: torch.dtype) -> Any:
    """Return a model without numbers, with this many rows of embedding."""
    config.get_text_config().vocab_size = vocabulary
    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(config, dtype=dtype).train()


def sizes(model: Any) -> Sizes:
    """Return the sizes of a model."""
    text = model.config.get_text_config()
    tables = {id(one.weight): one.weight for one in _tables(model)}
    frozen = {id(one): one.numel() for one in model.parameters() if not one.requires_grad}
    parameters = sum(one.numel() for one in model.parameters())
    return Sizes(
        parameters=parameters,
        body=parameters - sum(one.numel() for one in tables.values()),
        layers=text.num_hidden_layers,
        hidden=text.hidden_size,
        vocabulary=_tables(model)[0].weight.shape[0],
        frozen=sum(frozen.values()),
        frozen_body=sum(size for one, size in frozen.items() if one not in tables),
        frozen_head=id(_tables(model)[-1].weight) in frozen,
    )


def footprint(model: Any, largest: Shape, config: TrainConfig, devices: int = 1) -> Footprint:
    """Return what training a meta model needs on each device, where `largest` is its largest micro-batch.

    Frozen weights have neither gradient nor state; where `recompute` is still open activations are kept. Of a divided
    model each device has its part in fp32, and room for the whole in the precision it computes in.
    """
    size, width, forms = sizes(model), model.dtype.itemsize, forms_of(config)
    trained = size.parameters - size.frozen
    saved = round(size.frozen_body * (width - BYTES)) if config.base_bits else 0
    if config.parallel == "sharded":
        trained, exact, copied, summed = math.ceil(trained / devices), FP32, FP32, FP32
    else:
        exact = max(width, round(forms.weight.bits / 8))
        copied, summed = exact - width, forms.gradient.itemsize if width < FP32 else FP32
    moments = math.ceil(trained * (forms.mean.bits + forms.square.bits) / 8)
    return Footprint(
        weights=size.parameters * width - saved,
        copies=trained * copied,
        gradients=trained * summed,
        moments=moments,
        activations=saved_bytes(model, largest, recompute=config.recompute == "on"),
        logits=min(largest.supervised, rows_at_once(size.vocabulary)) * size.vocabulary * (width + 2 * FP32),
        copy=trained * exact + moments,
    )


def merging(model: Any, config: TrainConfig, *, beside: bool = False) -> int:
    """Return the bytes that a device needs while adapters are added to a base that is in four bits; 0: it is in none.

    The base as it came is read again and takes the other's place layer by layer, of which one is in fp32 with what is
    added to it. With `beside` it is read into the same memory, as on a processor, where the other one still is.
    """
    if not (config.base_bits and config.merge):
        return 0
    size, width = sizes(model), model.dtype.itemsize
    tables = {id(one.weight) for one in _tables(model)}
    largest: int = max(one.numel() for one in model.parameters() if not one.requires_grad and id(one) not in tables)
    quantised = size.frozen * width - round(size.frozen_body * (width - BYTES))
    return int(size.frozen * width + 2 * FP32 * largest + (quantised if beside else 0))


def operations(size: Sizes, shape: Shape) -> int:
    """Return the floating-point operations of a micro-batch, forward and backward.

    Two a parameter and token forward, four backward (Kaplan et al. 2020, arXiv:2001.08361); attention's products of
    tokens with tokens; the head on response tokens only. A frozen weight passes the gradient on and has none: four.
    """
    products = 12 * size.layers * size.hidden * shape.length
    body = 6 * size.body - 2 * size.frozen_body
    head = (4 if size.frozen_head else 6) * size.hidden * size.vocabulary
    return shape.padded_tokens * (body + products) + shape.supervised * head


def saved_bytes(model: Any, shape: Shape, *, recompute: bool = False) -> int:
    """Return the bytes that the backward pass of a meta model's body needs, each tensor counted once.

    With `recompute` those are every layer's input, and all of one layer.
    """
    state = (model.dtype, model.training, sizes(model))
    elsewhere, layers, output = _held(model, state, shape.rows, shape.length)
    if not recompute:
        return elsewhere + sum(layers)
    return elsewhere + len(layers) * output + max(layers, default=0)


@lru_cache(maxsize=64)  # of all devices and settings that are tried, most have the same micro-batch
def _held(model: Any, _: tuple[Any, ...], rows: int, length: int) -> tuple[int, list[int], int]:
    """Return the bytes kept outside of layers, by each layer, and those of a layer's output.

    The second argument is what may change about the model.
    """
    own = {_storage(one) for one in (*model.parameters(), *model.buffers())}
    kept: dict[int, tuple[str, Tensor]] = {}
    with _naming_layers(model) as layer:

        def keep(saved: Tensor) -> Tensor:
            kept.setdefault(_storage(saved), (layer[-1], saved))
            return saved

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda saved: saved), _fused_attention():
            out = model.base_model(**_inputs(rows, length), use_cache=False)[0]
    held: Counter[str] = Counter()
    for storage, (name, one) in kept.items():
        held[name] += one.untyped_storage().nbytes() if storage not in own else 0
    layers = [held.pop(name) for name in list(held) if name]
    return held.total(), layers, int(out.untyped_storage().nbytes())


@contextmanager
def _naming_layers(model: Any) -> Iterator[list[str]]:
    """Give a list whose last entry is the layer that computes now; empty outside all of them."""
    now = [""]
    handles = []
    for name, module in model.named_modules():
        if isinstance(module, GradientCheckpointingLayer):
            handles.append(module.register_forward_pre_hook(lambda *_, name=name: now.append(name)))
            handles.append(module.register_forward_hook(lambda *_: now.append("")))
    try:
        yield now
    finally:
        for handle in handles:
            handle.remove()


def _storage(tensor: Tensor) -> int:
    """Return what tells a storage from another; on the meta device none has an address."""
    return int(tensor.untyped_storage()._cdata)  # noqa: SLF001  # there is no public name


def _inputs(rows: int, length: int) -> dict[str, Tensor]:
    """Return inputs without numbers; the mask is given whole, because making one looks at numbers."""
    return {
        "input_ids": torch.zeros(rows, length, dtype=torch.long, device="meta"),
        "attention_mask": torch.ones(rows, 1, length, length, dtype=torch.bool, device="meta"),
        "position_ids": torch.arange(length, device="meta").expand(rows, length),
    }


@contextmanager
def _fused_attention() -> Iterator[None]:
    """Let attention be the fused kernel; on the meta device torch would take the one that keeps all scores."""
    real: Callable[..., Tensor] = functional.scaled_dot_product_attention

    def fused(query: Tensor, key: Tensor, value: Tensor, *, enable_gqa: bool = False, **settings: Any) -> Tensor:
        if enable_gqa:
            times = query.shape[1] // key.shape[1]
            key, value = key.repeat_interleave(times, 1), value.repeat_interleave(times, 1)
        kernel = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu  # noqa: SLF001  # its name
        out: Tensor = kernel(query, key, value, scale=settings.get("scale"))[0]
        return out

    functional.scaled_dot_product_attention = fused  # type: ignore[assignment]  # for as long as shapes are computed
    try:
        yield
    finally:
        functional.scaled_dot_product_attention = real


def _tables(model: Any) -> list[Any]:
    """Return embedding and head; where rows of them are trained, what is beneath."""
    found = (model.get_input_embeddings(), model.get_output_embeddings())
    return [getattr(one, "original_module", one) for one in found if one is not None]
