"""Bases are found, read and given room for the keys."""

import multiprocessing
from pathlib import Path
from typing import Any

import pytest
import torch

from schemas.errors import DollyError, InputError
from schemas.prompt import TEMPLATES
from tests.training.tiny import SIZES, tiny_model, tiny_tokenizer
from training import model as module
from training.encoding import add_keys
from training.model import context_tokens, digest_base, find_base, load_base, load_model, load_tokenizer, make_room


def with_room(kind: str, **more: Any) -> tuple[Any, int]:
    """Return a tiny model with rows for Dolly's keys, and how many tokens it knew before."""
    tokenizer, model = tiny_tokenizer(), tiny_model(kind, **more)
    known = len(tokenizer)
    add_keys(tokenizer, TEMPLATES["dolly-v1"])
    make_room(model, tokenizer, known)
    return model, known


@pytest.mark.parametrize("kind", SIZES)
def test_new_rows_are_the_mean_of_the_others(kind: str) -> None:
    """In the input and the output embedding."""
    model, known = with_room(kind)

    for table in (model.get_input_embeddings().weight, model.get_output_embeddings().weight):
        torch.testing.assert_close(table[known:], table[:known].mean(0).expand_as(table[known:]))


@pytest.mark.parametrize("kind", SIZES)
def test_the_vocabulary_is_a_multiple_of_64(kind: str) -> None:
    """Matrix units work in blocks; the config says the same number."""
    model, _ = with_room(kind)

    assert model.get_input_embeddings().weight.shape[0] == model.get_output_embeddings().weight.shape[0] == 448
    assert model.config.vocab_size == 448


def test_the_vocabulary_never_shrinks() -> None:
    """GPT-J has more rows than its tokenizer has tokens; Dolly cut them, we use them."""
    model, known = with_room("gptj", vocabulary=640)

    table = model.get_input_embeddings().weight
    assert table.shape[0] == 640
    torch.testing.assert_close(table[known], table[:known].mean(0))


@pytest.mark.parametrize("tied", [True, False])
def test_tied_embeddings_stay_tied(tied: bool) -> None:
    """And untied ones apart."""
    model, _ = with_room("llama", tie_word_embeddings=tied)

    assert (model.get_input_embeddings().weight is model.get_output_embeddings().weight) == tied


def test_old_rows_are_not_touched() -> None:
    """Every token means what it meant."""
    before = tiny_model().get_input_embeddings().weight

    model, known = with_room("llama")

    assert torch.equal(model.get_input_embeddings().weight[:known], before[:known])


def test_a_base_is_loaded_by_its_path(tiny: Path) -> None:
    """Model and tokenizer, in fp32."""
    model, tokenizer = load_base(str(tiny))

    assert model.dtype == torch.float32
    assert len(tokenizer) == model.config.vocab_size
    assert context_tokens(find_base(str(tiny))) == 256


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("./nowhere", "found nothing"),
        ("gpt-99", "a path, one of smollm2-135m"),
        ("EleutherAI/not-downloaded", "a causal language model"),
    ],
)
def test_an_unknown_model_says_what_to_pass(name: str, message: str) -> None:
    """Without loading anything."""
    with pytest.raises(InputError, match=message):
        load_tokenizer(find_base(name))


def test_a_broken_model_is_an_error_in_our_words(tiny: Path, tmp_path: Path) -> None:
    """Half a weights file, as an interrupted copy leaves."""
    for file in tiny.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes()[: 2000 if file.suffix == ".safetensors" else None])

    with pytest.raises(InputError, match="a causal language model"):
        load_model(find_base(str(tmp_path)))


def test_other_weights_have_another_digest(tiny: Path, tmp_path: Path) -> None:
    """A base is known by its bytes, not by its name."""
    for file in tiny.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    same = digest_base(find_base(str(tmp_path)))
    tiny_model(vocabulary=64).save_pretrained(tmp_path)

    assert same.sha256 == digest_base(find_base(str(tiny))).sha256
    assert digest_base(find_base(str(tmp_path))).sha256 != same.sha256
