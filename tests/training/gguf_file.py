"""Writes a tiny model as GGUF, the way llama.cpp's converter does, so that reading it back can be tested."""

import json
from pathlib import Path
from typing import Any

import gguf
import numpy as np

LAYER = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
"""GGUF's name of a weight → transformers'."""


def write_gguf(path: Path, model: Any, tokenizer: Any) -> Path:
    """Write a Llama with tied embeddings and its byte-level BPE tokenizer."""
    writer = gguf.GGUFWriter(path, "llama")
    _sizes(writer, model.config)
    _vocabulary(writer, tokenizer)
    weights = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    writer.add_tensor("token_embd.weight", weights["model.embed_tokens.weight"])
    writer.add_tensor("output_norm.weight", weights["model.norm.weight"])
    for layer in range(model.config.num_hidden_layers):
        for short, name in LAYER.items():
            weight = weights[f"model.layers.{layer}.{name}.weight"]
            writer.add_tensor(f"blk.{layer}.{short}.weight", _turned(short, weight, model.config))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _sizes(writer: gguf.GGUFWriter, config: Any) -> None:
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_dimension_count(config.hidden_size // config.num_attention_heads)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(config.vocab_size)


def _vocabulary(writer: gguf.GGUFWriter, tokenizer: Any) -> None:
    inner = tokenizer.backend_tokenizer
    tokens = [inner.id_to_token(number) for number in range(len(tokenizer))]
    special = set(tokenizer.all_special_tokens)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL if one in special else gguf.TokenType.NORMAL for one in tokens])
    writer.add_token_merges([" ".join(pair) for pair in _merges(inner)])
    writer.add_bos_token_id(tokenizer.bos_token_id)
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_pad_token_id(tokenizer.pad_token_id)
    writer.add_unk_token_id(tokenizer.unk_token_id)


def _merges(inner: Any) -> list[list[str]]:
    merges: list[list[str]] = json.loads(inner.to_str())["model"]["merges"]
    return merges


def _turned(name: str, weight: Any, config: Any) -> Any:
    """Reorder the rows of queries and keys: llama.cpp pairs rotary dimensions with their neighbour."""
    heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}.get(name)
    if heads is None:
        return weight
    rows, columns = weight.shape
    split = weight.reshape(heads, 2, rows // heads // 2, columns)
    return np.ascontiguousarray(split.swapaxes(1, 2).reshape(rows, columns))
