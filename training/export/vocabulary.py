"""A tokenizer as llama.cpp has it: tokens with their types, merges, how text is cut, what begins and ends a text.

Covered: byte-level BPE, which is what GPT-2, NeoX, SmolLM2, Llama 3 and Qwen have. SentencePiece is not.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from gguf import TokenType

from schemas.errors import InputError
from training.export.families import ELSE

_LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_QWEN2 = _LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
CUTS = {
    ("bytes",): "gpt-2",
    ("digits", "bytes"): "smollm",
    (_LLAMA3, "raw bytes"): "llama-bpe",
    (_QWEN2, "raw bytes"): "qwen2",
}
"""How a tokenizer cuts text before it merges → llama.cpp's name for that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """What a GGUF file says of its tokenizer."""

    pre: str
    """llama.cpp's name of how text is cut."""
    tokens: tuple[str, ...]
    types: tuple[int, ...]
    merges: tuple[str, ...]


def vocabulary(tokenizer: Any, rows: int) -> Vocabulary:
    """Return the vocabulary of a tokenizer, filled up to the `rows` of the embedding.

    Raises:
        InputError: a kind of tokenizer that is not written here.
    """
    parts = orjson.loads(tokenizer.backend_tokenizer.to_str())
    model = parts["model"]
    if model["type"] != "BPE" or model.get("byte_fallback"):
        found = "SentencePiece" if model.get("byte_fallback") else model["type"]
        raise InputError(field="tokenizer", expected=f"byte-level BPE {ELSE}", found=found)
    tokens, types = [f"[PAD{number}]" for number in range(rows)], [TokenType.UNUSED] * rows
    for token, number in model["vocab"].items():
        tokens[number], types[number] = token, TokenType.NORMAL
    for added in parts["added_tokens"]:
        kind = TokenType.CONTROL if added["special"] else TokenType.USER_DEFINED
        tokens[added["id"]], types[added["id"]] = added["content"], kind
    merges = (one if isinstance(one, str) else " ".join(one) for one in model["merges"])
    return Vocabulary(
        pre=_pre(parts["pre_tokenizer"]), tokens=tuple(tokens), types=tuple(map(int, types)), merges=tuple(merges)
    )


def _pre(pre_tokenizer: dict[str, Any] | None) -> str:
    cuts = tuple(_cuts(pre_tokenizer or {"type": "none"}))
    if cuts not in CUTS:
        found = " then ".join(cuts)
        raise InputError(field="tokenizer", expected=f"a way to cut text that llama.cpp names {ELSE}", found=found)
    return CUTS[cuts]


def _cuts(one: dict[str, Any]) -> Iterator[str]:
    """Yield the steps of a pre-tokenizer by what they do."""
    if one["type"] == "Sequence":
        for part in one["pretokenizers"]:
            yield from _cuts(part)
    elif one["type"] == "ByteLevel" and not one["add_prefix_space"]:
        yield "bytes" if one["use_regex"] else "raw bytes"
    elif one["type"] == "Digits" and one["individual_digits"]:
        yield "digits"
    elif one["type"] == "Split" and "Regex" in one["pattern"]:
        yield one["pattern"]["Regex"]
    else:
        yield one["type"]
