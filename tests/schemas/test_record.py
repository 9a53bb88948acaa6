"""Records, their identity, and how repairs and flags are written down."""

import pytest
from hypothesis import given

from schemas.codec import read_record, read_rejection, write_record, write_rejection
from schemas.errors import InputError
from schemas.outcome import Rejection, reject
from schemas.record import InstructionRecord, Reason, Repair, content_id, flagged, repaired
from tests.support import pair, records, texts


@given(records())
def test_a_record_survives_being_written_and_read(record: InstructionRecord) -> None:
    """What stands in records.jsonl is the record, whatever its text."""
    line = write_record(record)

    assert read_record(line) == record
    assert line.count(b"\n") == 1


@given(records())
def test_a_rejection_survives_being_written_and_read(record: InstructionRecord) -> None:
    """What stands in rejected.jsonl is the row and every reason."""
    rejection = reject(record, Reason(code="response_empty", field="response", scores={"cosine": 0.5}, span=(1, 2)))

    assert read_rejection(write_rejection(rejection)) == rejection


def test_a_row_that_is_no_unicode_is_still_written_down_exactly() -> None:
    """Half a surrogate pair cannot be UTF-8, yet nothing is lost."""
    rejection = Rejection(row={"instruction": "\ud800"}, reasons=(Reason(code="text_not_unicode"),))

    assert read_rejection(write_rejection(rejection)).row == {"instruction": "\ud800"}


def test_a_foreign_field_that_is_no_unicode_survives_too() -> None:
    """Half an emoji in a note of somebody else's makes no step unreadable."""
    record = pair(extra={"note": "cut \ud83d"})

    assert read_record(write_record(record)) == record


@given(texts, texts, texts)
def test_the_id_depends_on_where_the_fields_end(first: str, second: str, third: str) -> None:
    """Moving a character over the border of two fields makes another record."""
    assert content_id(first + "x", second, third) != content_id(first, "x" + second, third)


def test_equal_content_has_an_equal_id_wherever_it_came_from() -> None:
    """Category and provenance are not identity; the id is 16 hex digits that must never change."""
    assert pair().id == pair(category="open_qa").id == "fcb008de08be8721"


def test_a_changed_text_under_an_old_id_is_refused() -> None:
    """A line of records.jsonl that was edited by hand names its place and both ids."""
    line = write_record(pair()).replace(b"Blue", b"Red.")

    with pytest.raises(InputError, match=r"records\.jsonl:3: id: expected [0-9a-f]{16}, found [0-9a-f]{16}"):
        read_record(line, "records.jsonl:3")


def test_a_repair_remembers_every_former_id() -> None:
    """Two repairs in a row leave both former ids, oldest first, and both old values."""
    first = pair(context="no input")
    second = repaired(first, Repair(code="no_input_marker", field="context", old="no input", new=""))
    third = repaired(second, Repair(code="x", field="response", old="Blue.", new="Red."))

    assert third.provenance.previous == (first.id, second.id)
    assert [repair.old for repair in third.repairs] == ["no input", "Blue."]


def test_a_flag_is_set_once() -> None:
    """Flagging again changes nothing, so that a second pass of a filter is the same."""
    reason = Reason(code="response_truncated")

    assert flagged(flagged(pair(), reason), reason) == flagged(pair(), reason)


def test_a_rejection_needs_a_reason() -> None:
    """Nothing vanishes unexplained."""
    with pytest.raises(ValueError, match="at least one reason"):
        Rejection(row={}, reasons=())
