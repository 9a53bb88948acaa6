"""Room in a base model for the tokens that a template adds; finding and loading models is in schemas/weights.py."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from schemas.weights import (
    Base,
    config_of,
    context_tokens,
    digest_base,
    find_base,
    full_disks_told,
    has_tokenizer,
    has_weights,
    load_base,
    load_model,
    load_tokenizer,
    quiet,
)

__all__ = [
    "Base",
    "config_of",
    "context_tokens",
    "digest_base",
    "find_base",
    "full_disks_told",
    "has_tokenizer",
    "has_weights",
    "load_base",
    "load_model",
    "load_tokenizer",
    "make_room",
    "quiet",
]

VOCABULARY_MULTIPLE = 64
"""Rows of the embedding are padded to a multiple of this: matrix units work in blocks."""


@torch.no_grad()
def make_room(model: Any, tokenizer: Any, known: int, end_id: int | None = None) -> None:
    """Give every token of the tokenizer a row; tokens from id `known` on get the mean of the rows before them.

    A new end key (`end_id`) begins as the model's own end token instead: it means the same, and a few dozen steps are
    too few to teach a row from nothing when to stop. The vocabulary never shrinks and is padded to a multiple of 64.
    Tied embeddings stay tied.
    """
    rows = max(len(tokenizer), model.get_input_embeddings().weight.shape[0])
    with quiet():
        model.resize_token_embeddings(rows, pad_to_multiple_of=VOCABULARY_MULTIPLE, mean_resizing=False)
    for table in _tables(model):
        table[known:] = table[:known].float().mean(0).to(table.dtype)
        if end_id is not None and end_id >= known > (tokenizer.eos_token_id or 0):
            table[end_id] = table[tokenizer.eos_token_id]


def _tables(model: Any) -> Iterator[Tensor]:
    """Yield each tensor that has one row a token, tied ones once."""
    inputs, outputs = model.get_input_embeddings(), model.get_output_embeddings()
    yield inputs.weight
    if outputs is not None and outputs.weight is not inputs.weight:
        yield outputs.weight
    bias = getattr(outputs, "bias", None)
    if isinstance(bias, nn.Parameter):
        yield bias
