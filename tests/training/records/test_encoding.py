"""Records become tokens by construction: what is supervised cannot be moved by anything a user wrote."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import InputError
from schemas.prompt import TEMPLATES
from schemas.record import InstructionRecord
from tests.support import filled, pair, texts
from tests.training.tiny import END, START, tiny_tokenizer
from training.records.encoding import IGNORED, Encoder, Example, add_keys, encoder, text_ids

TYPED = ["### Instruction:", "### Response:\n", "### Response:", "### End", END, START, "<|endoftext|>", "<|pad|>"]
"""What a hostile or careless user types."""
ODD = ["🙂", "é", "\x1b[2J", "\u202e", "\u200b", "日本"]
hostile = st.lists(st.one_of(st.sampled_from(TYPED + ODD), texts), max_size=6).map("".join)
written = st.builds(
    InstructionRecord, instruction=hostile, context=hostile, response=st.one_of(hostile.filter(str.strip), filled)
)


def tuned_encoder(template: str, *, bos: bool = False) -> Encoder:
    """Return an encoder whose tokenizer has the template's keys."""
    tokenizer = tiny_tokenizer(bos=bos)
    add_keys(tokenizer, TEMPLATES[template])
    return encoder(tokenizer, TEMPLATES[template])


ENCODERS = {(name, bos): tuned_encoder(name, bos=bos) for name in TEMPLATES for bos in (False, True)}
any_encoder = st.sampled_from(list(ENCODERS.values()))


def supervised(example: Example) -> list[int]:
    """Return the tokens that are learned."""
    return [label for label in example.labels if label != IGNORED]


def decoded(encode: Encoder, ids: Any) -> str:
    """Return the text of ids as it is, special tokens included."""
    text: str = encode.tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)
    return text


@given(any_encoder, written)
def test_the_supervised_tokens_are_the_response_and_the_end_key(encode: Encoder, record: InstructionRecord) -> None:
    """Exactly those, whatever the user's text contains."""
    (example,) = encode.examples([record])

    literal = encode.template.completion.partition("{response}")[2].removesuffix(encode.template.end_key)
    wanted = text_ids(encode.tokenizer, [record.response + literal])[0]
    assert supervised(example) == [*wanted, encode.end_id]


@given(any_encoder, written)
def test_the_end_is_always_learned_and_stands_only_at_the_end(encode: Encoder, record: InstructionRecord) -> None:
    """The last label is the end token, and no user's text can write another one."""
    (example,) = encode.examples([record])

    assert example.labels[-1] == encode.end_id
    assert supervised(example).count(encode.end_id) == 1


@given(any_encoder, written)
def test_every_character_is_there_once(encode: Encoder, record: InstructionRecord) -> None:
    """Nothing is cut or changed: the tokens decode to prompt and completion."""
    (example,) = encode.examples([record])

    rendered = encode.template.render(record)
    start = START if encode.start else ""
    end = "" if encode.template.end_key else END
    assert decoded(encode, example.input_ids) == start + rendered.prompt_text + rendered.completion_text + end


@given(any_encoder, written)
def test_labels_are_the_ids_or_ignored(encode: Encoder, record: InstructionRecord) -> None:
    """First the prompt, which is ignored, then the completion, whose labels are its ids."""
    (example,) = encode.examples([record])

    border = len(encode.prompt(record.instruction, record.context))
    assert example.labels == (IGNORED,) * border + example.input_ids[border:]
    assert example.input_ids[:border] == encode.prompt(record.instruction, record.context)


@given(any_encoder, st.lists(written, max_size=4))
def test_records_are_encoded_alone_as_together(encode: Encoder, records: list[InstructionRecord]) -> None:
    """An example does not depend on its neighbours."""
    assert list(encode.examples(records)) == [example for record in records for example in encode.examples([record])]


@given(hostile)
def test_typed_special_tokens_stay_text(text: str) -> None:
    """Tokenized as a user's text, nothing is a special token, and it decodes back exactly."""
    tokenizer = ENCODERS["dolly-v1", False].tokenizer

    (ids,) = text_ids(tokenizer, [text])

    assert not set(ids) & set(tokenizer.all_special_ids)
    assert tokenizer.decode(ids, clean_up_tokenization_spaces=False) == text


def test_the_test_of_typed_special_tokens_can_fail() -> None:
    """The tokenizer's ordinary reading does make special tokens of typed text."""
    tokenizer = ENCODERS["dolly-v1", False].tokenizer

    assert tokenizer("### End")["input_ids"] == [tokenizer.convert_tokens_to_ids("### End")]


def test_a_prompt_without_typed_keys_reads_as_its_text_does() -> None:
    """Tokens from pieces equal the tokens of the whole text, which is what other programs send."""
    encode = ENCODERS["dolly-v1", False]

    ids = encode.prompt("Name a colour.", "Warm ones.")

    text = "".join(piece.text for piece in encode.template.prompt("Name a colour.", "Warm ones."))
    assert list(ids) == encode.tokenizer(text)["input_ids"]


def test_keys_are_one_token_each() -> None:
    """Dolly's three keys have an id of their own after they are added."""
    encode = ENCODERS["dolly-v1", False]

    assert set(encode.key_ids) == {"### Instruction:", "### Response:\n", "### End"}
    assert len(set(encode.key_ids.values())) == 3


def test_a_key_that_the_tokenizer_lacks_is_plain_text(tokenizer: Any) -> None:
    """A base model reads the same prompt as text."""
    encode = encoder(tokenizer, TEMPLATES["dolly-v1"])

    text = "".join(piece.text for piece in encode.template.prompt("Hi."))
    assert encode.key_ids == {}
    assert encode.prompt("Hi.") == tuple(tokenizer(text)["input_ids"])


@pytest.mark.parametrize("name", TEMPLATES)
def test_padding_is_not_what_ends_a_response(name: str) -> None:
    """A model that learned to stop at padding would be one that never saw its end key."""
    encode = ENCODERS[name, False]

    assert encode.tokenizer.pad_token_id not in (None, encode.end_id)


def test_a_tokenizer_without_an_end_token_is_refused() -> None:
    """Alpaca's responses end with it, so there is nothing to learn to stop with."""
    tokenizer = tiny_tokenizer()
    tokenizer.eos_token = None

    with pytest.raises(InputError, match="eos_token"):
        encoder(tokenizer, TEMPLATES["alpaca"])


def test_more_records_than_a_chunk_keep_their_order() -> None:
    """Chunks are an inner matter."""
    encode = ENCODERS["alpaca", False]
    records = [pair(f"Say {number}.", str(number)) for number in range(2100)]

    assert [one.id for one in encode.examples(records)] == [one.id for one in records]
