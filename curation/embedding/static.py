"""A quick look without a pass through a model: the mean of MiniLM's input word embeddings.

It is for browsing and for estimates on large data, not for decisions: word order, negation and most of the meaning are
lost, see docs/dedupe.md for how far it agrees with `minilm`. Rare words count for more. How rare a word is, is read
off its rank in the vocabulary, which is in order of frequency, by Zipf's law (as in Model2Vec, Tulkens and van Dongen
2024): nothing of the data that is encoded decides, so a row depends on its text alone.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from curation.embedding.encoder import Precision, Told, Vectors, tell_nobody
from schemas.models import resolve

TABLE = "embeddings.word_embeddings.weight"
"""The tensor of input embeddings in a BERT's weights."""

COMMONEST = "the"
"""The first whole word of the vocabulary."""

UNKNOWN = "[UNK]"
"""Stands for a text without any token, such as control characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticEncoder:
    """Means of word embeddings."""

    folder: Path
    """Where the model is whose embeddings they are."""
    weights: str
    """Hash of them."""

    @property
    def identity(self) -> str:
        """What the vectors depend on besides the text."""
        return f"static-{self.weights}"

    @property
    def margin(self) -> float:
        """Zero: it computes in one precision only."""
        return 0.0

    @property
    def costly(self) -> bool:
        """No: a table is looked up either way."""
        return False

    def encode(self, texts: Sequence[str], told: Told = tell_nobody) -> Vectors:
        """Return the vectors of the texts, shape (texts, dimensions)."""
        table, tokenizer = _table(self.folder), _tokenizer(self.folder)
        rows = np.zeros((len(texts), table.shape[1]), np.float32)
        tokens = tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        for at, (text, found) in enumerate(zip(texts, tokens, strict=True)):
            if text.strip():
                rows[at] = _unit(table[found.ids or [tokenizer.token_to_id(UNKNOWN)]].sum(0))
        told(len(texts), len(texts))
        return rows


def open_static_encoder(_precision: Precision = "auto") -> StaticEncoder:
    """Find the embeddings, without loading them.

    Raises:
        InputError: the package that carries them is not installed.
    """
    folder = Path(resolve("minilm").path)
    return StaticEncoder(folder=folder, weights=_digest(folder))


def _unit(row: Vectors) -> Vectors:
    unit: Vectors = row / np.linalg.norm(row)
    return unit


@cache
def _digest(folder: Path) -> str:
    sha = hashlib.sha256()
    for name in ("model.safetensors", "tokenizer.json"):
        with (folder / name).open("rb") as file:
            sha.update(hashlib.file_digest(file, "sha256").digest())
    return sha.hexdigest()[:12]


@cache
def _table(folder: Path) -> Vectors:
    """Return the embedding of each token, times how much it counts."""
    from safetensors import safe_open  # noqa: PLC0415  # only where texts are encoded

    with safe_open(folder / "model.safetensors", "np") as file:
        table = file.get_tensor(TABLE).astype(np.float32)
    first = _tokenizer(folder).token_to_id(COMMONEST)
    rank = np.maximum(np.arange(len(table), dtype=np.float32) - first, 0) + 1  # single characters count as little
    weighted: Vectors = table * np.log1p(rank)[:, None]
    return weighted


@cache
def _tokenizer(folder: Path) -> Any:
    from tokenizers import Tokenizer  # noqa: PLC0415  # a compiled package, only where texts are encoded

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer
