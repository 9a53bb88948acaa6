"""Text that was decoded wrongly is put right only where that is certain."""

from hypothesis import given
from hypothesis import strategies as st

from curation.filters.mojibake import put_right
from curation.filters.stage import Filter
from schemas.record import InstructionRecord

whole = st.text(st.characters(categories=["Ll", "Lu", "Lo", "Zs", "Po"], max_codepoint=0xFFFF), min_size=1)
"""Letters of any script, blanks and punctuation."""


def broken(text: str) -> str:
    """Return UTF-8 as Windows-1252 reads it."""
    return "".join(bytes([one]).decode("cp1252", errors="ignore") or chr(one) for one in text.encode())


def test_what_was_broken_is_whole_again() -> None:
    """Quotation marks, letters of four scripts and a smile come back; broken twice, too."""
    text = (
        "It isn\u2019t na\u00efve: caf\u00e9, \u041f\u0440\u0438\u0432\u0435\u0442, \u65e5\u672c\u8a9e, "
        "\U0001f600 \u20ac5 \u2192 \u2122"
    )

    assert put_right(broken(text)) == text
    assert put_right(broken(broken("caf\u00e9"))) == "caf\u00e9"


@given(st.text(st.characters(categories=["Ll", "Lu"], max_codepoint=0x17F, exclude_characters="\u00c3"), min_size=1))
def test_words_of_europe_are_left_alone(text: str) -> None:
    """Letters alone are never the remains of anything, but for the one that most remains begin with."""
    assert put_right(text) == text


@given(whole)
def test_putting_right_is_done_once(text: str) -> None:
    """What was put right needs nothing more, broken or not."""
    assert put_right(put_right(text)) == put_right(text)
    assert put_right(put_right(broken(text))) == put_right(broken(text))


@given(whole)
def test_what_is_put_right_becomes_shorter(text: str) -> None:
    """Several characters become one, or the text stays as it is."""
    once = broken(text)

    assert put_right(once) == once or len(put_right(once)) < len(once)


def test_a_record_is_repaired_in_every_field() -> None:
    """Each field has its own repair with its old value, and the record is kept."""
    record = InstructionRecord(
        instruction=broken("Caf\u00e9?"), context=broken("Na\u00efve."), response=broken("\u201cYes\u201d.")
    )

    (kept,) = Filter()([record])

    assert isinstance(kept, InstructionRecord)
    assert [repair.field for repair in kept.repairs] == ["instruction", "context", "response"]
    assert (kept.instruction, kept.context, kept.response) == ("Caf\u00e9?", "Na\u00efve.", "\u201cYes\u201d.")
    assert kept.provenance.previous[0] == record.id
