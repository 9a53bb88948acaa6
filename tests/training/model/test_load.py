"""Bases are found, read and given room for the keys."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch

import schemas.weights as module
from schemas.errors import InputError
from schemas.models import ModelPlace
from schemas.prompt import TEMPLATES
from tests.training.gguf_file import write_gguf
from tests.training.tiny import SIZES, tiny_model, tiny_tokenizer
from training.model.load import context_tokens, digest_base, find_base, load_base, load_model, load_tokenizer, make_room
from training.records.encoding import add_keys


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


def test_the_end_key_begins_as_the_models_own_end_token() -> None:
    """A model that knows when to stop need not learn it anew for the key."""
    tokenizer, model = tiny_tokenizer(), tiny_model("llama")
    known = len(tokenizer)
    add_keys(tokenizer, TEMPLATES["dolly-v1"])
    end = tokenizer.convert_tokens_to_ids("### End")

    make_room(model, tokenizer, known, end)

    table = model.get_input_embeddings().weight
    assert torch.equal(table[end], table[tokenizer.eos_token_id])
    torch.testing.assert_close(table[end - 1], table[:known].mean(0))


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
        ("EleutherAI/not-downloaded", "a folder, or a causal language model on the Hub"),
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


@pytest.fixture
def gguf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny GGUF model, and an empty cache."""
    monkeypatch.setenv("DOLLY_CACHE", str(tmp_path / "cache"))
    tokenizer = tiny_tokenizer()
    return write_gguf(tmp_path / "tiny.gguf", tiny_model(vocabulary=len(tokenizer)), tokenizer)


def cached(tmp_path: Path) -> list[str]:
    """Return what stands in the cache, locks apart."""
    return [one.name for one in (tmp_path / "cache" / "models").iterdir() if not one.name.endswith(".lock")]


def test_a_gguf_model_is_converted_exactly(gguf: Path) -> None:
    """The weights and the tokens are those of the model it was made from."""
    base = find_base(str(gguf))

    ids = load_tokenizer(base)("Name a colour.")["input_ids"]
    assert ids == tiny_tokenizer()("Name a colour.")["input_ids"]
    before = tiny_model()(torch.tensor([ids])).logits
    assert torch.equal(load_model(base)(torch.tensor([ids])).logits, before)


def test_it_is_converted_once(gguf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second time it is found; its identity is the GGUF file."""
    first = find_base(str(gguf))
    monkeypatch.setattr(module, "_convert", None)

    assert find_base(str(gguf)) == first
    assert digest_base(first).path == str(gguf)


def test_an_interrupted_conversion_leaves_nothing(gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the next one succeeds."""

    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("transformers.PreTrainedTokenizerBase.save_pretrained", interrupted)
        with pytest.raises(KeyboardInterrupt):
            find_base(str(gguf))
    assert cached(tmp_path) == []

    assert load_model(find_base(str(gguf))).config.model_type == "llama"


def test_two_at_once_convert_it_once(gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second waits for the first; each opens the lock for itself, as two processes would."""
    made: list[Path] = []
    convert = module._convert

    def counted(place: ModelPlace, target: Path) -> None:
        made.append(target)
        convert(place, target)

    monkeypatch.setattr(module, "_convert", counted)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(find_base, [str(gguf)] * 2)

    assert first == second
    assert len(made) == len(cached(tmp_path)) == 1


def test_what_is_not_gguf_is_an_error_in_our_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text file with the suffix, say."""
    monkeypatch.setenv("DOLLY_CACHE", str(tmp_path / "cache"))
    (tmp_path / "notes.gguf").write_text("shopping")

    with pytest.raises(InputError, match="a causal language model"):
        find_base(str(tmp_path / "notes.gguf"))
