"""sentence-transformers models as encoders: where they are found, how they compute, what their vectors are called."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from curation.embedding import open_encoder
from curation.embedding.sentence import BF16_MARGIN, SentenceEncoder, has_bf16, open_sentence_encoder
from schemas.errors import InputError
from schemas.models import resolve

TEXTS = [f"Name {n} {'very ' * (n % 7)}large {thing}." for n, thing in enumerate(["rivers", "cities", "birds"] * 4)]


def minilm(precision: str) -> SentenceEncoder:
    """Return the embedded model."""
    return open_sentence_encoder("minilm", precision)  # type: ignore[arg-type]  # a Literal


def test_batches_change_nothing() -> None:
    """Rows are the same to a millionth however the texts are split."""
    encoder = minilm("fp32")

    assert np.allclose(replace(encoder, batch=5).encode(TEXTS), encoder.encode(TEXTS), atol=1e-6)


def test_bf16_stays_within_its_margin() -> None:
    """The candidates that bf16 proposes include every pair that fp32 finds."""
    fast, exact = minilm("bf16").encode(TEXTS), minilm("fp32").encode(TEXTS)

    assert np.abs(fast @ fast.T - exact @ exact.T).max() < BF16_MARGIN / 2
    assert not np.array_equal(fast, exact)


def test_the_margin_is_that_of_the_precision() -> None:
    """fp32 needs none."""
    assert minilm("bf16").margin == BF16_MARGIN
    assert minilm("fp32").margin == 0


@pytest.mark.parametrize(
    ("flags", "native"),
    [("flags : avx512f avx512_bf16", True), ("flags : amx_bf16", True), ("flags : avx512f bf16_soft", False)],
)
def test_bf16_is_taken_where_the_processor_has_it(tmp_path: Path, flags: str, native: bool) -> None:
    """Where it is emulated it is slower than fp32."""
    file = tmp_path / "cpuinfo"
    file.write_text(flags)

    assert has_bf16(file) is native
    assert not has_bf16(tmp_path / "none")


def test_auto_asks_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """`auto` is one of the two."""
    for native in (True, False):
        monkeypatch.setattr("curation.embedding.sentence.has_bf16", lambda native=native: native)

        assert minilm("auto").bf16 is native


def test_a_path_and_an_alias_of_one_model_share_their_vectors(tmp_path: Path) -> None:
    """The identity is the content of the model's files, not the place they stand at."""
    folder = tmp_path / "somewhere"
    folder.symlink_to(resolve("minilm").path)

    assert open_encoder(str(folder)).identity == open_encoder("minilm").identity


def test_other_weights_have_another_identity(tmp_path: Path) -> None:
    """A model that was tuned in place is not taken for what it was."""
    (tmp_path / "modules.json").write_text("[]")
    (tmp_path / "weights").write_text("1")
    before = open_sentence_encoder(str(tmp_path), "fp32").identity
    (tmp_path / "weights").write_text("2")

    assert open_sentence_encoder(str(tmp_path), "fp32").identity != before


def test_a_folder_that_holds_no_such_model_says_so(tmp_path: Path) -> None:
    """What the library found wrong stands in the message."""
    (tmp_path / "config.json").write_text("{}")

    with pytest.raises(InputError, match="expected a sentence-transformers model, found"):
        open_sentence_encoder(str(tmp_path), "fp32").encode(["text"])


def test_an_unknown_encoder_says_what_would_do() -> None:
    """Before anything is loaded."""
    with pytest.raises(InputError, match="minilm"):
        open_encoder("mini")


def test_a_hub_model_that_cannot_be_had_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Offline, or no such model."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))

    with pytest.raises(InputError, match="model 'nobody/nothing': expected a sentence-transformers model on the Hub"):
        open_encoder("nobody/nothing")
