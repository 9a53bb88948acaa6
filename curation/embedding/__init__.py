"""Texts become unit vectors whose dot product is their likeness.

To add an encoder, write a class with `identity`, `margin` and `encode`, and add an entry to `ENCODERS`; the laws in
tests/laws/test_encoder_laws.py then hold for it too.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from curation.embedding.encoder import Encoder, Precision
from curation.embedding.hashing import HashingEncoder
from curation.embedding.onnx import open_onnx_encoder
from curation.embedding.sentence import digest_folder, open_sentence_encoder
from curation.embedding.static import open_static_encoder
from schemas.manifest import FileDigest
from schemas.models import cache_folder, is_path, resolve

ENCODERS: Mapping[str, Callable[[Precision], Encoder]] = {
    "minilm": partial(open_sentence_encoder, "minilm"),
    "onnx-minilm-int8": open_onnx_encoder,
    "static": open_static_encoder,
    "hashing": lambda _: HashingEncoder(),
}
"""Name → how to open the encoder in a precision."""


def open_encoder(name: str, precision: Precision = "auto") -> Encoder:
    """Open an encoder by its name in `ENCODERS`, or any sentence-transformers model by path or Hub id.

    Raises:
        InputError: no such model, or its package is not installed; says what to install or pass.
    """
    return ENCODERS[name](precision) if name in ENCODERS else open_sentence_encoder(name, precision)


def encoder_files(name: str) -> list[FileDigest]:
    """Return which model stands where an encoder is, if its name is a path; another name says it itself.

    Raises:
        InputError: no model there.
    """
    return [digest_folder(Path(resolve(name).path))] if name not in ENCODERS and is_path(name) else []


def embeddings_folder() -> Path:
    """Return where vectors are kept between runs."""
    return cache_folder() / "embeddings"
