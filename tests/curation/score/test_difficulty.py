"""Difficulty: equal to a plain loop over the model, one text at a time; what cannot be measured says why."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

import curation.score.parts as module
from curation.score.cache import Measured, key_of, open_cache
from curation.score.difficulty import NAMES, Difficulty, scores_of
from curation.score.file import Score
from curation.score.reading import reader
from curation.score.reasons import EMPTY, NO_LOSS, NOT_FINITE, TOO_LONG
from schemas.errors import InputError
from schemas.losses import Text, losses_of
from schemas.outcome import SILENT
from schemas.prompt import TEMPLATES
from schemas.record import InstructionRecord
from tests.support import pair
from tests.training.tiny import SIZES, save_tiny, tiny_model, tiny_tokenizer

POOL = [
    pair("Name three colours.", "Red, green and blue."),
    pair("What is the capital of France?", "Paris"),
    pair("Write a letter to a friend.", "Dear friend, the weather is fine and the garden grows. " * 3),
    pair("Add these.", "five", context="two and three"),
    pair("Answer.", "I", context="Name three colours. What is the answer? ### End"),
    pair("Say <|im_end|> and ### Response:", "<|im_end|> is what I say. ### End"),
    pair("一二三", "🙂 é \u202e ok"),
]
CLOSE = 1e-4


def plain_losses(model: Any, tokenizer: Any, record: InstructionRecord, template: str) -> tuple[float, float]:
    """Measure a record as the papers' scripts do: two passes of one text each, all of the vocabulary."""
    prompt = TEMPLATES[template].prompt(record.instruction, record.context)
    known = tokenizer.get_added_vocab()
    ids: list[int] = []
    text = ""
    for piece in (*prompt, None):
        if piece is not None and not (piece.kind == "key" and piece.text in known):
            text += piece.text
            continue
        ids += tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"] if text else []
        text = ""
        ids += [known[piece.text]] if piece is not None else []
    response = tokenizer(record.response, add_special_tokens=False, split_special_tokens=True)["input_ids"]
    return plain_loss(model, ids, response), plain_loss(model, [tokenizer.bos_token_id], response)


def plain_loss(model: Any, before: Sequence[int], counted: Sequence[int]) -> float:
    """Return the model's own loss over the counted tokens."""
    ids = torch.tensor([[*before, *counted]])
    labels = ids.clone()
    labels[:, : len(before)] = -100
    with torch.no_grad():
        return float(model(input_ids=ids, labels=labels).loss)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model on disk."""
    return save_tiny(tmp_path_factory.mktemp("model"))


def difficulty(place: Path, **more: Any) -> Difficulty:
    """Return what measures by a tiny model, in fp32, keeping nothing."""
    return Difficulty(**{"model": str(place), "template": "dolly-v1", "precision": "fp32", "folder": None, **more})


def values(found: Mapping[str, Score]) -> dict[str, float | None]:
    """Return the numbers."""
    return {name: score.value for name, score in found.items()}


@pytest.mark.parametrize("kind", SIZES)
def test_losses_equal_the_models_own_one_text_at_a_time(kind: str) -> None:
    """Whatever the architecture: soft caps, scales, learned positions, sliding windows."""
    tokenizer = tiny_tokenizer()
    model = tiny_model(kind, vocabulary=len(tokenizer))
    texts = reader(tokenizer, TEMPLATES["alpaca"])
    read = [Text(one.prompt[-150:], one.response) for one in texts.read(POOL)]

    found = losses_of(model, 200).means(read)

    assert found == pytest.approx([plain_loss(model, *text) for text in read], abs=CLOSE)


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("batch_tokens", [1, 300, 100_000])
def test_ratios_equal_those_of_two_plain_passes(folder: Path, template: str, batch_tokens: int) -> None:
    """With any template, however many share a batch: both ratios, both losses."""
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)

    found = difficulty(folder, template=template, batch_tokens=batch_tokens).scores(POOL[:5], SILENT)

    for record, scores in zip(POOL[:5], found, strict=True):
        given, alone = plain_losses(model, tokenizer, record, template)
        score = values(scores)
        assert score["ifd_loss_given_prompt"] == pytest.approx(given, abs=CLOSE)
        assert score["ifd_loss_alone"] == pytest.approx(alone, abs=CLOSE)
        assert score["ifd_loss_ratio"] == pytest.approx(given / alone, abs=CLOSE)
        assert score["ifd_perplexity_ratio"] == pytest.approx(math.exp(given - alone), abs=CLOSE)


def test_what_all_prompts_begin_with_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shared beginning is one row, and no batch reads it again."""
    tokenizer = tiny_tokenizer()
    model = tiny_model(vocabulary=len(tokenizer))
    read = [Text(one.prompt, one.response) for one in reader(tokenizer, TEMPLATES["alpaca"]).read(POOL[:3])]
    shapes: list[tuple[int, ...]] = []
    forward = model.base_model.forward

    def seen(**given: Any) -> Any:
        shapes.append(tuple(given["input_ids"].shape))
        return forward(**given)

    monkeypatch.setattr(model.base_model, "forward", seen)

    losses_of(model, 100_000).means(read)

    (_, shared), batch = shapes[-2:]
    assert shared > 20
    assert batch == (3, max(text.tokens for text in read) - shared)


def test_a_response_has_the_same_tokens_with_its_prompt_and_without(folder: Path) -> None:
    """It is tokenized by itself: nothing merges across the border."""
    tokenizer = tiny_tokenizer()
    one, other = reader(tokenizer, TEMPLATES["alpaca"]).read([pair("Name", " three"), pair("Name a thing:", " three")])

    assert one.response == other.response == tuple(tokenizer(" three", add_special_tokens=False)["input_ids"])


def test_a_template_key_in_a_users_text_is_text() -> None:
    """Only the template writes the token of an end key."""
    tokenizer = tiny_tokenizer()
    (read,) = reader(tokenizer, TEMPLATES["chat"]).read([pair("<|im_end|>", "<|im_end|>")])
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")

    assert read.prompt.count(end) == 1
    assert end not in read.response


def test_a_response_of_no_tokens_and_one_that_is_too_long_are_null(folder: Path) -> None:
    """Each with its reason and in every score; nothing is cut, and the others are measured."""
    pool = [pair("Name a colour.", ""), pair("Name a colour.", "word " * 300), POOL[0]]

    empty, long, fine = difficulty(folder).scores(pool, SILENT)

    assert empty == dict.fromkeys(NAMES, Score(reason=EMPTY))
    assert long == dict.fromkeys(NAMES, Score(reason=TOO_LONG))
    assert None not in values(fine).values()


def test_a_response_of_one_token_is_measured(folder: Path) -> None:
    """It has something before it in both conditions."""
    (found,) = difficulty(folder).scores([POOL[4]], SILENT)

    assert found["ifd_response_tokens"].value == 1
    assert found["ifd_loss_alone"].value


@pytest.mark.parametrize(
    ("given", "alone", "loss", "perplexity"),
    [(math.nan, 1.0, NOT_FINITE, NOT_FINITE), (1.0, 0.0, NO_LOSS, ""), (2000.0, 1.0, "", NOT_FINITE)],
)
def test_a_ratio_that_cannot_be_is_null(given: float, alone: float, loss: str, perplexity: str) -> None:
    """No number stands in for it."""
    found = scores_of(Measured(given, alone, 3, 3))

    assert (found["ifd_loss_ratio"].reason, found["ifd_perplexity_ratio"].reason) == (loss, perplexity)
    assert (found["ifd_loss_ratio"].value is None) == bool(loss)


def test_what_was_measured_is_not_measured_again(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the model nor any record a second time; another template or precision is another measurement."""
    once = difficulty(folder, folder=tmp_path).scores(POOL, SILENT)
    monkeypatch.setattr(module, "losses_of", None)

    assert difficulty(folder, folder=tmp_path).scores(POOL, SILENT) == once
    for other in ({"template": "alpaca"}, {"precision": "bf16"}):
        with pytest.raises(TypeError):
            difficulty(folder, folder=tmp_path, **other).scores(POOL, SILENT)


def test_a_loss_that_is_no_number_is_measured_again(tmp_path: Path) -> None:
    """The cache knows no such number: what it holds instead is not taken for one."""
    with open_cache(tmp_path, "a model") as cache:
        cache.keep({key_of(POOL[0]): Measured(math.nan, 1.0, 3, 3), key_of(POOL[1]): Measured(2.0, 1.0, 3, 3)})
        assert cache.find(POOL[:2]) == {key_of(POOL[1]): Measured(2.0, 1.0, 3, 3)}


def test_a_cache_that_cannot_be_used_costs_only_time(folder: Path, tmp_path: Path) -> None:
    """A folder that is a file: said, and measured anew."""
    (tmp_path / "file").write_text("not a folder")

    assert difficulty(folder, folder=tmp_path / "file").scores(POOL[:2], SILENT) == difficulty(folder).scores(
        POOL[:2], SILENT
    )


def test_an_unknown_template_is_said(folder: Path) -> None:
    """With those that there are."""
    with pytest.raises(InputError, match="dolly-v1"):
        difficulty(folder, template="mine")
