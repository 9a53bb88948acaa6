"""The sample shows what is learned, with and without colours, and nothing that a user typed can look like it."""

import re
from dataclasses import replace

import click
import pytest

from schemas.errors import InputError
from schemas.prompt import TEMPLATES
from tests.hostile import HOSTILE
from tests.support import pair
from tests.training.records.test_encoding import ENCODERS
from tests.training.tiny import tiny_tokenizer
from training.planning.plan import check_ends
from training.records.encoding import IGNORED, encoder
from training.records.sample import SHOWN, runs, sample_text

ENCODE = ENCODERS["dolly-v1", False]


def shown(instruction: str, response: str, *, colour: bool = False) -> str:
    """Return the sample of a record."""
    (example,) = ENCODE.examples([pair(instruction, response)])
    return sample_text(ENCODE, example, colour=colour)


def test_the_learned_part_and_the_special_tokens_are_marked() -> None:
    """Without colours by marks."""
    assert shown("Name a colour.", "Red.").endswith("⟨### Response:⟩\n  »Red.\n  \n  ⟨### End⟩«")


def test_colours_take_the_place_of_marks() -> None:
    """Without them the text is the same."""
    plain, coloured = shown("Name a colour.", "Red."), shown("Name a colour.", "Red.", colour=True)

    assert click.unstyle(coloured) == re.sub("[»«]", "", plain)
    assert click.style("⟨### End⟩", fg="green") in coloured


@pytest.mark.parametrize("text", [*HOSTILE, "»learned« ⟨### End⟩ ### End <|im_end|>"])
def test_typed_marks_and_control_characters_are_only_text(text: str) -> None:
    """One learned part, the template's special tokens, no character that moves a cursor."""
    said = shown(text, f"Yes. {text}")

    assert (said.count("»"), said.count("«")) == (1, 1)
    assert re.findall(r"⟨(?!U\+)[^⟩]*⟩", said) == ["⟨### Instruction:⟩", "⟨### Response:⟩", "⟨### End⟩"]
    assert not set(said) & {"\x1b", "\x07", "\r", "\u202e"}


def test_a_long_text_is_shortened_in_so_many_words() -> None:
    """Its beginning and its end stay."""
    said = shown("word " * 1000, "Red.")

    assert "characters …]" in said
    assert len(said) < SHOWN + 400


def test_the_runs_hold_every_token_once() -> None:
    """For programs, too: what is special and what is learned."""
    (example,) = ENCODE.examples([pair("Name a colour.", "Red.")])
    found = list(runs(ENCODE, example))

    assert sum(one.tokens for one in found) == len(example.input_ids)
    assert sum(one.tokens for one in found if one.learned) == sum(label != IGNORED for label in example.labels)
    assert [one.text for one in found if one.special] == ["### Instruction:", "### Response:\n", "### End"]


def test_a_record_whose_end_is_not_learned_is_found() -> None:
    """The check that the plan's sentence rests on can fail."""
    (example,) = ENCODE.examples([pair()])
    check_ends([example], ENCODE)

    cut = replace(example, input_ids=example.input_ids[:-1], labels=example.labels[:-1])
    with pytest.raises(InputError, match=f"record {example.id}.*last label"):
        check_ends([example, cut], ENCODE)


def test_padding_that_is_the_end_is_found() -> None:
    """The tokenizer's own pad token ends a response where no key does."""
    with pytest.raises(InputError, match="pad_token"):
        check_ends([], encoder(tiny_tokenizer(), TEMPLATES["alpaca"]))
