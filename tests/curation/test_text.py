"""The normal form of a text and its tokens."""

import gzip

import orjson
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from rouge_score import tokenize

from curation.text import normal_form, tokens
from tests.support import real_data, texts


@given(texts)
@examples(deadline=None)
def test_a_normal_form_is_its_own(text: str) -> None:
    """Taking it twice changes nothing more."""
    assert normal_form(normal_form(text)) == normal_form(text)


@given(st.text(st.characters(codec="ascii")))
@examples(deadline=None)
def test_tokens_of_ascii_are_those_of_rouge_score(text: str) -> None:
    """Any ASCII text is split as the oracle splits it."""
    assert tokens(text) == tokenize.tokenize(text, None)


def test_tokens_of_real_english_are_those_of_rouge_score() -> None:
    """So are Alpaca's instructions, with their few accents, signs and foreign words."""
    with gzip.open(real_data("alpaca_52k.jsonl.gz")) as file:
        instructions = [orjson.loads(line)["instruction"] for line in file]

    assert [text for text in instructions if tokens(text) != tokenize.tokenize(text, None)] == []


def test_other_scripts_have_tokens() -> None:
    """What rouge_score does not see is split at spaces, or into pairs where there are none."""
    assert tokens("Напишите стихи") == ["напишите", "стихи"]
    assert tokens("写一首诗") == ["写一", "一首", "首诗"]
    assert tokens("Übersetze «Straße»!") == ["übersetze", "strasse"]
    assert tokens("詩 poem") == ["詩", "poem"]
