"""What is known about single fields, and what has to be encoded for it."""

from collections.abc import Sequence

import pytest

from curation.dedupe.evidence import Fields, different_answers
from curation.embedding.encoder import Vectors
from curation.embedding.hashing import HashingEncoder


def nothing(texts: Sequence[str]) -> Vectors:
    """Be asked for no vectors."""
    raise AssertionError(texts)


def test_a_text_is_like_itself_without_a_vector() -> None:
    """Copies of a response need no model, and are no reason to decide again."""
    fields = Fields(nothing)
    assert fields.reaches("Red.", "Red.", 1.0)
    assert (fields.unknown, fields.gather()) == (0, False)
    assert fields.cosine("Red.", "Red.") == 1.0
    assert fields.cosine("Blue.", "Blue.") is None, "what nobody asked for did not decide"


def test_what_is_not_known_counts_as_alike_until_it_is() -> None:
    """Each question that could not be answered is counted, so that what was decided on it is decided again."""
    fields = Fields(HashingEncoder().encode)
    assert fields.reaches("A red cherry.", "The sea is deep and cold.", 0.9)
    assert fields.reaches("A red cherry.", "The sea is deep and cold.", 0.9)
    assert fields.unknown == 2
    assert fields.gather()
    assert not fields.reaches("A red cherry.", "The sea is deep and cold.", 0.9)
    assert (fields.unknown, fields.gather()) == (2, False)


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        ("2", "-2", True),
        ("2", "\u22122", True),
        ("1/2", "2/1", True),
        ("It is 3-5 days.", "3-5", False),
        ("1,000", "1000", False),
        ("Yes", "No.", True),
        ("Yes.", "Yes, it is.", False),
        ("True", "no", True),
        ("Nothing", "Yes", False),
        ("Red", "Blue", False),
    ],
)
def test_brief_answers_that_differ(one: str, other: str, differ: bool) -> None:
    """A sign, an order, yes and no: two answers."""
    assert different_answers(one, other) is differ
    assert different_answers(other, one) is differ
