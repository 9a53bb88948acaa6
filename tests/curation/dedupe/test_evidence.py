"""What is known about single fields, and what has to be encoded for it."""

from collections.abc import Sequence

from curation.dedupe.evidence import Fields
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
