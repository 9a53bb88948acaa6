"""What differs between two texts, word by word."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from curation.review.worddiff import Piece, word_diff
from tests.support import texts, words


def test_what_went_stands_before_what_came() -> None:
    """And what is shared stands once."""
    assert word_diff("Name a red colour.", "Name two blue colours!") == [
        Piece("Name", "both"),
        Piece(" a red colour.", "old"),
        Piece(" two blue colours!", "new"),
    ]


@given(st.one_of(texts, words), st.one_of(texts, words))
def test_both_texts_can_be_read_out_of_the_diff(old: str, new: str) -> None:
    """Nothing is lost, nothing is shown twice, and a text differs from itself in nothing."""
    pieces = word_diff(old, new)

    assert "".join(piece.text for piece in pieces if piece.where != "new") == old
    assert "".join(piece.text for piece in pieces if piece.where != "old") == new
    assert all(one.where != other.where for one, other in pairwise(pieces))
    assert {piece.where for piece in word_diff(old, old)} <= {"both"}
