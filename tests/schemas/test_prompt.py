"""Prompt templates: the bytes of the originals, and keys that no user text can move."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.prompt import TEMPLATES, Piece
from schemas.record import InstructionRecord
from tests.support import filled, pair, texts

DOLLY_V1_PLAIN = (
    "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
    "### Instruction:\nName a colour.\n\n### Response:\nBlue.\n\n### End"
)
DOLLY_V1_CONTEXT = (
    "Below is an instruction that describes a task, paired with an input that provides further context. "
    "Write a response that appropriately completes the request.\n\n"
    "### Instruction:\nName a colour.\n\n### Input:\nthe sky\n\n### Response:\nBlue.\n\n### End"
)
DOLLY_V2_CONTEXT = (
    "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
    "### Instruction:\nName a colour.\n\nInput:\nthe sky\n\n### Response:\nBlue.\n\n### End"
)
ALPACA_PLAIN = (
    "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
    "### Instruction:\nName a colour.\n\n### Response:Blue."
)


@pytest.mark.parametrize(
    ("template", "context", "text"),
    [
        ("dolly-v1", "", DOLLY_V1_PLAIN),
        ("dolly-v1", "the sky", DOLLY_V1_CONTEXT),
        ("dolly-v2", "the sky", DOLLY_V2_CONTEXT),
        ("alpaca", "", ALPACA_PLAIN),
    ],
)
def test_templates_are_the_originals_byte_for_byte(template: str, context: str, text: str) -> None:
    """The training text is what the originals trained on."""
    rendered = TEMPLATES[template].render(pair(context=context))

    assert rendered.prompt_text + rendered.completion_text == text


hostile = st.one_of(
    texts, st.sampled_from(["### End", "### Response:\n", "a ### Instruction: b", "{response}", "<|im_end|>"])
)


@pytest.mark.parametrize("template", TEMPLATES)
@given(instruction=hostile, context=hostile, response=hostile)
def test_only_the_template_makes_keys(template: str, instruction: str, context: str, response: str) -> None:
    """However a user's text looks, the keys are those of an empty record, in the same order."""
    record = InstructionRecord(instruction=instruction, context=context, response=response)
    bare = InstructionRecord(instruction="", context="x" if context else "", response="")

    keys = [[piece for piece in side if piece.kind != "text"] for side in TEMPLATES[template].render(record)]

    assert keys == [[piece for piece in side if piece.kind != "text"] for side in TEMPLATES[template].render(bare)]


@pytest.mark.parametrize("template", TEMPLATES)
@given(instruction=filled, response=filled)
def test_the_users_words_stand_unchanged_in_one_piece(template: str, instruction: str, response: str) -> None:
    """Text is never split, stripped or escaped; nor do braces in it mean anything."""
    rendered = TEMPLATES[template].render(InstructionRecord(instruction=instruction, response=response))

    assert any(instruction in piece.text for piece in rendered.prompt if piece.kind == "text")
    assert rendered.completion[0].text.startswith(response)


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_completion_ends_with_an_end(template: str) -> None:
    """A model learns to stop only if the end is part of what it is taught."""
    last = TEMPLATES[template].render(pair()).completion[-1]

    assert last.kind in {"key", "eos"}
    assert last == Piece(TEMPLATES[template].end_key or "", last.kind)
