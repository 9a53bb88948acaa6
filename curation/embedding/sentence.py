"""Any sentence-transformers model as an encoder; `minilm` is the one that a package carries."""

import hashlib
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from curation.embedding.encoder import Precision, Told, Vectors, in_batches, tell_nobody
from schemas.errors import InputError
from schemas.manifest import FileDigest
from schemas.models import ModelPlace, resolve

BF16_MARGIN = 0.01
"""Three times the greatest difference that was measured: 0.0033 over all pairs of 2,000 Alpaca prompts with MiniLM."""

EXPECTED = "a sentence-transformers model"

NOT_WEIGHTS = (".md", ".lock")
"""Endings of files in a model's folder that do not change its vectors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceEncoder:
    """A sentence-transformers model, loaded when the first text comes."""

    folder: Path
    """Where the model is."""
    weights: str
    """Hash of the model's files."""
    bf16: bool = False
    """Multiply in bf16 where the model runs on the CPU; sums, norms and results stay fp32."""
    batch: int = field(default=64, metadata={"identity": False})
    """Texts a forward pass at most; fewer where they are long."""

    @property
    def identity(self) -> str:
        """What the vectors depend on besides the text: the weights and the precision."""
        return f"sentence-{self.weights}-{'bf16' if self.bf16 else 'fp32'}"

    @property
    def margin(self) -> float:
        """How far a cosine of these vectors may be from the one in fp32."""
        return BF16_MARGIN if self.bf16 else 0.0

    @property
    def costly(self) -> bool:
        """Yes: a pass through the model."""
        return True

    def encode(self, texts: Sequence[str], told: Told = tell_nobody) -> Vectors:
        """Return the vectors of the texts, shape (texts, dimensions)."""
        model = _load(self.folder, self.weights)
        rows = np.zeros((len(texts), model.get_embedding_dimension()), np.float32)
        done, total = 0, sum(1 for text in texts if text.strip())
        for batch in in_batches(texts, _sizes(model, texts), self.batch):
            told(done, total)
            rows[batch] = self._forward(model, [texts[at] for at in batch])
            done += len(batch)
        told(done, total)
        return rows

    def _forward(self, model: Any, texts: list[str]) -> Vectors:
        with self._arithmetic(model):
            found = model.encode(texts, batch_size=len(texts), show_progress_bar=False, convert_to_numpy=True)
        rows = found.astype(np.float32)
        unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit

    def _arithmetic(self, model: Any) -> AbstractContextManager[Any]:
        if not self.bf16 or model.device.type != "cpu":
            return nullcontext()
        import torch  # noqa: PLC0415 - heavy, and only for models

        return torch.autocast("cpu", dtype=torch.bfloat16)


def open_sentence_encoder(name: str, precision: Precision) -> SentenceEncoder:
    """Find the model called `name` and settle the precision, without loading it.

    Raises:
        InputError: no such model here or on the Hub.
    """
    place = resolve(name)
    folder = Path(place.path) if place.is_local else _from_hub(place)
    bf16 = precision == "bf16" or (precision == "auto" and has_bf16())
    return SentenceEncoder(folder=folder, weights=_digest(folder), bf16=bf16)


@cache
def has_bf16(flags: Path = Path("/proc/cpuinfo")) -> bool:
    """Say whether this processor multiplies bf16 natively; where it emulates it, fp32 is faster and exact."""
    return flags.is_file() and bool({"avx512_bf16", "amx_bf16"} & set(flags.read_text().split()))


@cache
def _load(folder: Path, _weights: str) -> Any:
    """Load a model once; other weights in the same folder are another model.

    Raises:
        InputError: the folder holds no model that sentence-transformers can read.
    """
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging  # noqa: PLC0415 - takes seconds to import

    logging.disable_progress_bar()
    try:
        return SentenceTransformer(str(folder))
    except (OSError, ValueError) as error:
        raise InputError(place=folder, expected=EXPECTED, found=str(error).splitlines()[0]) from error


def _sizes(model: Any, texts: Sequence[str]) -> list[int]:
    """Return how many tokens the model reads of each text; of a model without an ordinary tokenizer, its letters."""
    if not callable(model.tokenizer) or not texts:
        return [len(text) for text in texts]
    tokens = model.tokenizer(list(texts), truncation=True, max_length=model.max_seq_length)
    return [len(ids) for ids in tokens["input_ids"]]


def _from_hub(place: ModelPlace) -> Path:
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - only where something is to be downloaded

    try:
        return Path(
            snapshot_download(place.path, ignore_patterns=["onnx/*", "openvino/*", "*.h5", "*.ot", "*.msgpack"])
        )
    except (OSError, ValueError) as error:
        raise InputError(
            place=f"model {place.name!r}",
            expected=f"{EXPECTED} on the Hub; or pass a path, or `minilm`",
            found=str(error).splitlines()[0],
        ) from error


def _digest(folder: Path) -> str:
    """Return 12 hex digits over the files of a model, so that vectors of other weights are never taken for its own."""
    return digest_folder(folder).sha256[:12]


def digest_folder(folder: Path) -> FileDigest:
    """Return which model of sentence-transformers a folder holds."""
    sha, size = hashlib.sha256(), 0
    for file in sorted(one for one in folder.rglob("*") if one.is_file() and one.suffix not in NOT_WEIGHTS):
        sha.update(str(file.relative_to(folder)).encode())
        with file.open("rb") as content:
            sha.update(hashlib.file_digest(content, "sha256").digest())
        size += file.stat().st_size
    return FileDigest(path=str(folder.resolve()), bytes=size, sha256=sha.hexdigest())
