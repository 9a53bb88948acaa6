"""Which architectures are written as GGUF here, and how their weights and sizes are told to llama.cpp.

The names of the tensors are gguf's own table; what stands here is what llama.cpp keeps in another layout, and the
numbers it needs to compute the same. Everything is proved by comparing answers (`training.export.check`). What is
missing here is not refused for good: llama.cpp's own converter knows many more.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

from schemas.errors import InputError

Array = NDArray[np.float32]
Weights = Callable[[str, Array, Any], Array]
"""(name, weight, config) → the weight as llama.cpp has it."""
Sizes = Callable[[Any], dict[str, Any]]
"""config → name of a GGUFWriter method without its `add_` → value."""


def _as_it_is(_: str, weight: Array, __: Any) -> Array:
    return weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """An architecture that is written here."""

    arch: str
    """llama.cpp's name of it, as in gguf.MODEL_ARCH_NAMES."""
    sizes: Sizes
    weights: Weights = _as_it_is
    turned: tuple[str, ...] = ()
    """Ends of the names of weights that are stored as (in, out)."""


def _llama_weights(name: str, weight: Array, config: Any) -> Array:
    """Put the two halves of each head's rotary dimensions side by side: llama.cpp turns neighbours."""
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}.get(name.split(".")[-2])
    if heads is None:
        return weight
    halves = weight.reshape(heads, 2, weight.shape[0] // heads // 2, *weight.shape[1:])
    return halves.swapaxes(1, 2).reshape(weight.shape)


def _neox_weights(name: str, weight: Array, config: Any) -> Array:
    """Put all queries before all keys before all values, which NeoX keeps together by heads."""
    if "query_key_value" not in name:
        return weight
    heads = config.num_attention_heads
    by_head = weight.reshape(heads, 3, weight.shape[0] // heads // 3, *weight.shape[1:])
    return by_head.swapaxes(0, 1).reshape(weight.shape)


def _llama_sizes(config: Any) -> dict[str, Any]:
    rope = _rope(config)
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return {
        "context_length": config.max_position_embeddings,
        "embedding_length": config.hidden_size,
        "block_count": config.num_hidden_layers,
        "feed_forward_length": config.intermediate_size,
        "head_count": config.num_attention_heads,
        "head_count_kv": config.num_key_value_heads,
        "layer_norm_rms_eps": config.rms_norm_eps,
        "rope_freq_base": float(rope["rope_theta"]),
        "rope_dimension_count": head,
        "key_length": head,
        "value_length": head,
        "vocab_size": config.vocab_size,
    }


def _gpt2_sizes(config: Any) -> dict[str, Any]:
    return {
        "context_length": config.n_positions,
        "embedding_length": config.n_embd,
        "block_count": config.n_layer,
        "feed_forward_length": config.n_inner or 4 * config.n_embd,
        "head_count": config.n_head,
        "layer_norm_eps": config.layer_norm_epsilon,
        "vocab_size": config.vocab_size,
    }


def _neox_sizes(config: Any) -> dict[str, Any]:
    rope = _rope(config)
    head = config.hidden_size // config.num_attention_heads
    return {
        "context_length": config.max_position_embeddings,
        "embedding_length": config.hidden_size,
        "block_count": config.num_hidden_layers,
        "feed_forward_length": config.intermediate_size,
        "head_count": config.num_attention_heads,
        "layer_norm_eps": config.layer_norm_eps,
        "parallel_residual": config.use_parallel_residual,
        "rope_freq_base": float(rope["rope_theta"]),
        "rope_dimension_count": int(head * rope.get("partial_rotary_factor", 1.0)),
        "vocab_size": config.vocab_size,
    }


FAMILIES: Mapping[str, Family] = {
    "llama": Family(arch="llama", sizes=_llama_sizes, weights=_llama_weights),
    "mistral": Family(arch="llama", sizes=_llama_sizes, weights=_llama_weights),
    "qwen2": Family(arch="qwen2", sizes=_llama_sizes),
    "qwen3": Family(arch="qwen3", sizes=_llama_sizes),
    "gpt2": Family(arch="gpt2", sizes=_gpt2_sizes, turned=("c_attn.weight", "c_proj.weight", "c_fc.weight")),
    "gpt_neox": Family(arch="gptneox", sizes=_neox_sizes, weights=_neox_weights),
}
"""transformers' model_type → how it is written."""
NEVER = {"gptj": "llama.cpp has no GPT-J"}
"""Architectures that no converter helps with, and why."""
ROPES = ("default", "llama3")
"""Kinds of rotary positions that are written here."""
ELSE = "(or llama.cpp's own converter: --converter convert_hf_to_gguf.py)"
"""What else there is."""


def family_of(config: Any) -> Family:
    """Return how a model is written.

    Raises:
        InputError: it is not written here; says why and what else there is.
    """
    kind = config.model_type
    if kind in NEVER:
        raise InputError(field="model_type", expected="an architecture that llama.cpp runs", found=NEVER[kind])
    if kind not in FAMILIES:
        raise InputError(field="model_type", expected=f"one of {', '.join(FAMILIES)} {ELSE}", found=kind)
    if getattr(config, "use_sliding_window", False) or (kind == "mistral" and config.sliding_window):
        raise InputError(field="sliding_window", expected=f"attention to all of the text {ELSE}", found="a window")
    return FAMILIES[kind]


def rope_factors(config: Any) -> Array | None:
    """Return what llama.cpp divides each rotary frequency by; None where they are as they are."""
    rope = _rope(config) if config.model_type != "gpt2" else {}
    if rope.get("rope_type", "default") == "default":
        return None
    scaled, _ = ROPE_INIT_FUNCTIONS[rope["rope_type"]](config, torch.device("cpu"))
    dimensions = 2 * scaled.numel()
    plain = 1.0 / rope["rope_theta"] ** (torch.arange(0, dimensions, 2, dtype=torch.float32) / dimensions)
    factors: Array = (plain / scaled).numpy()
    return factors


def _rope(config: Any) -> dict[str, Any]:
    """Return how positions are turned.

    Raises:
        InputError: in a way that is not written here.
    """
    rope = dict(config.rope_parameters)
    if rope.get("rope_type", "default") not in ROPES:
        raise InputError(field="rope_type", expected=f"one of {', '.join(ROPES)} {ELSE}", found=rope["rope_type"])
    return rope
