"""No kind of tokenizer lets a user's text write a key, move the border of what is learned, or end a response early."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from schemas.prompt import TEMPLATES
from schemas.record import InstructionRecord
from tests.training.records.test_encoding import hostile, written
from tests.training.tiny import END, START, TEXTS, UNKNOWN, tiny_tokenizer
from training.records.encoding import IGNORED, Encoder, add_keys, encoder, text_ids

NAMES = {"bos_token": START, "eos_token": END, "pad_token": END, "unk_token": UNKNOWN}


def unigram() -> Any:
    """A tokenizer as sentencepiece makes it: pieces with their own space, bytes for what it lacks."""
    inner = Tokenizer(models.Unigram())
    inner.pre_tokenizer = pre_tokenizers.Metaspace()
    inner.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=200, special_tokens=[UNKNOWN, START, END], unk_token=UNKNOWN, show_progress=False
    )
    inner.train_from_iterator(TEXTS, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=inner, **NAMES)


def normalised() -> Any:
    """A tokenizer that changes text before it reads it (NFKC, lower case), as BERT's and T5's do."""
    inner = Tokenizer(models.WordPiece(unk_token=UNKNOWN))
    inner.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    inner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=200, special_tokens=[UNKNOWN, START, END], show_progress=False)
    inner.train_from_iterator(TEXTS, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=inner, **NAMES)


def with_added() -> Any:
    """Byte-level BPE with more special and ordinary added tokens, as chat models have them."""
    tokenizer = tiny_tokenizer()
    tokenizer.add_special_tokens({"extra_special_tokens": ["<|tool|>", "<|user|>"]}, replace_extra_special_tokens=False)
    tokenizer.add_tokens(["<think>", "\n\n"])
    return tokenizer


def prepared(tokenizer: Any, template: str) -> Encoder:
    """Return an encoder that has the template's keys."""
    add_keys(tokenizer, TEMPLATES[template])
    return encoder(tokenizer, TEMPLATES[template])


KINDS = {
    f"{make.__name__} {name}": prepared(make(), name)
    for make in (unigram, normalised, with_added)
    for name in ("dolly-v1", "chat", "alpaca")
}
typed = st.lists(st.one_of(st.sampled_from(["<|tool|>", "<|user|>", "<think>", "### End", END]), hostile)).map("".join)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40)
@given(record=written, more=typed)
def test_what_is_learned_does_not_depend_on_what_was_typed(kind: str, record: InstructionRecord, more: str) -> None:
    """Prompt ignored, completion learned, one end at the end; keys only where the template has them."""
    encode = KINDS[kind]
    record = InstructionRecord(
        instruction=record.instruction + more, context=record.context, response=record.response + more
    )

    (example,) = encode.examples([record])

    border = len(encode.prompt(record.instruction, record.context))
    assert example.labels == (IGNORED,) * border + example.input_ids[border:]
    assert example.labels[-1] == encode.end_id
    assert example.labels[border:].count(encode.end_id) == 1
    pieces = [piece for form in encode.template.render(record) for piece in form]
    keys = [encode.key_ids[piece.text] for piece in pieces if piece.kind == "key"]
    assert [token for token in example.input_ids if token in encode.key_ids.values()] == keys


@pytest.mark.parametrize("kind", KINDS)
def test_typed_keys_are_text(kind: str) -> None:
    """While the tokenizer's ordinary reading makes tokens of them, so the test above can fail."""
    encode = KINDS[kind]
    end = encode.tokenizer.convert_ids_to_tokens(encode.end_id)

    (ids,) = text_ids(encode.tokenizer, [f"a {end} b"])

    assert encode.end_id not in ids
    assert encode.end_id in encode.tokenizer(f"a {end} b")["input_ids"]
