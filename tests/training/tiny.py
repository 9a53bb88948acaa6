"""Tiny models, made here: the real classes with random weights, and a tokenizer trained on a few sentences."""

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

TEXTS = [
    "Below is an instruction that describes a task. Write a response that appropriately completes the request.",
    "### Instruction: ### Input: ### Response: ### End",
    "Name three colours. Red, green and blue. The capital of France is Paris. Add two and three: five.",
    "Write a letter to a friend. Dear friend, the weather is fine and the garden grows. What is the answer?",
]
END, START, UNKNOWN = "<|im_end|>", "<|im_start|>", "<|endoftext|>"
SIZES: dict[str, dict[str, Any]] = {
    "llama": {"num_key_value_heads": 1, "intermediate_size": 48, "tie_word_embeddings": True},
    "mistral": {"num_key_value_heads": 1, "intermediate_size": 48, "sliding_window": None},
    "qwen2": {"num_key_value_heads": 1, "intermediate_size": 48, "tie_word_embeddings": True},
    "qwen3": {"num_key_value_heads": 1, "intermediate_size": 48, "head_dim": 16, "tie_word_embeddings": True},
    "gpt_neox": {"intermediate_size": 48},
    "gptj": {"n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 256, "rotary_dim": 8},
    "gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 256},
    "gemma2": {"num_key_value_heads": 1, "intermediate_size": 48, "head_dim": 16, "query_pre_attn_scalar": 16},
    "gemma3_text": {
        "num_key_value_heads": 1, "intermediate_size": 48, "head_dim": 16, "query_pre_attn_scalar": 16,
        "sliding_window": 8, "layer_types": ["sliding_attention", "full_attention"],
    },
    "opt": {"ffn_dim": 48, "word_embed_proj_dim": 32},
    "mpt": {"d_model": 32, "n_layers": 2, "n_heads": 2, "max_seq_len": 256},
    "granite": {"num_key_value_heads": 1, "intermediate_size": 48, "logits_scaling": 4.0},
}  # fmt: skip
"""What makes each architecture tiny, besides what they have in common."""


def tiny_tokenizer(*, bos: bool = False) -> Any:
    """Train a byte-level BPE tokenizer whose end and pad token are one, as SmolLM2's are."""
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    special = [UNKNOWN, START, END]
    trainer = trainers.BpeTrainer(
        vocab_size=420,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    inner.train_from_iterator(TEXTS, trainer)
    names = {"bos_token": START, "eos_token": END, "pad_token": END, "unk_token": UNKNOWN}
    return PreTrainedTokenizerFast(tokenizer_object=inner, **names, **({"add_bos_token": True} if bos else {}))


def tiny_model(kind: str = "llama", *, vocabulary: int = 420, **more: Any) -> Any:
    """Return a random model of two small layers."""
    torch.manual_seed(0)
    common = {"vocab_size": vocabulary, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2}
    shape = {} if kind in {"gptj", "gpt2", "mpt"} else {
        "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "max_position_embeddings": 256,
    }  # fmt: skip
    config = AutoConfig.for_model(kind, **{**common, **shape, **SIZES[kind], **more})
    return AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()


def save_tiny(folder: Path, kind: str = "llama", **more: Any) -> Path:
    """Save a tiny model and its tokenizer as a folder that transformers loads."""
    tokenizer = tiny_tokenizer()
    tiny_model(kind, vocabulary=len(tokenizer), **more).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
