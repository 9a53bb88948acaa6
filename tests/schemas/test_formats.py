"""Formats: found from the data, read without loss, written back."""

from typing import Any

import pytest
from hypothesis import given

from schemas.formats import FORMATS, ROW_REASONS, detect, expand, read_row, write_row
from schemas.record import InstructionRecord
from tests.support import pair, records

ROWS: dict[str, dict[str, Any]] = {
    "dolly": {"instruction": "Name a colour.", "context": "", "response": "Blue.", "category": "open_qa"},
    "alpaca": {"instruction": "Name a colour.", "input": "", "output": "Blue."},
    "self-instruct": {
        "id": "seed_task_0",
        "instruction": "Name a colour.",
        "instances": [{"input": "", "output": "Blue."}],
        "is_classification": False,
    },
    "messages": {
        "messages": [{"role": "user", "content": "Name a colour."}, {"role": "assistant", "content": "Blue."}]
    },
    "sharegpt": {"conversations": [{"from": "human", "value": "Name a colour."}, {"from": "gpt", "value": "Blue."}]},
    "prompt-completion": {"prompt": "Name a colour.", "completion": "Blue."},
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_found_from_the_data_and_read(name: str) -> None:
    """One row is enough to say which format it is in, and it becomes the same record in all of them."""
    record = read_row(ROWS[name], detect(ROWS[name]))

    assert detect(ROWS[name]) == name
    assert isinstance(record, InstructionRecord)
    assert record.id == pair().id


@pytest.mark.parametrize("name", FORMATS)
@given(record=records())
def test_what_is_written_is_read_back(name: str, record: InstructionRecord) -> None:
    """Every format carries instruction and response; those with a field for it, the context."""
    row = write_row(record, name)

    again = read_row(row, detect(row))

    assert isinstance(again, InstructionRecord)
    assert again.response == record.response
    assert again.instruction.startswith(record.instruction)
    if name in {"dolly", "alpaca", "self-instruct"}:
        assert again.id == record.id


BAD: list[tuple[str, dict[str, Any], str, str]] = [
    ("dolly", {"instruction": "a", "response": None}, "field_null", "response"),
    ("dolly", {"instruction": "a", "response": 3}, "field_not_text", "response"),
    ("dolly", {"instruction": " ", "response": "b"}, "instruction_empty", "instruction"),
    ("alpaca", {"instruction": "a", "output": "\n"}, "response_empty", "output"),
    ("alpaca", {"instruction": "a", "input": ["x"], "output": "b"}, "field_not_text", "input"),
    ("dolly", {"instruction": "a\0", "response": "b"}, "text_has_nul", "instruction"),
    ("dolly", {"instruction": "a", "response": "\udc80"}, "text_not_unicode", "response"),
    ("dolly", {"instruction": "a"}, "field_missing", "response"),
    ("self-instruct", {"instruction": "a", "instances": []}, "field_not_list", "instances"),
    ("self-instruct", {"instruction": "a", "instances": [{"input": ""}]}, "field_missing", "instances[0].output"),
    ("messages", {"messages": "hello"}, "field_not_list", "messages"),
    ("messages", {"messages": [{"role": "user", "content": "a"}]}, "turns_not_single", "messages"),
    ("messages", {"messages": [{"role": "user", "content": None}]}, "field_null", "messages[0].content"),
    ("sharegpt", {"conversations": ["a", "b"]}, "field_not_text", "conversations[0]"),
    ("sharegpt", {"conversations": [{"from": "gpt", "value": "a"}] * 2}, "turns_not_single", "conversations"),
]


@pytest.mark.parametrize(("name", "row", "code", "field"), BAD)
def test_a_row_that_is_no_pair_says_which_field_and_why(name: str, row: dict[str, Any], code: str, field: str) -> None:
    """The reason names field, what was found and what was expected; its code is a known one."""
    reasons = read_row(row, name)

    assert isinstance(reasons, tuple)
    assert (reasons[0].code, reasons[0].field) == (code, field)
    assert reasons[0].found
    assert reasons[0].limit
    assert code in ROW_REASONS


def test_all_that_is_wrong_with_a_row_is_said_at_once() -> None:
    """Two bad fields are two reasons."""
    reasons = read_row({"instruction": None, "response": 1}, "dolly")

    assert isinstance(reasons, tuple)
    assert [reason.code for reason in reasons] == ["field_null", "field_not_text"]


def test_unknown_fields_are_carried_along() -> None:
    """A score that somebody's file had is not lost."""
    record = read_row({**ROWS["alpaca"], "score": 4.5}, "alpaca")

    assert isinstance(record, InstructionRecord)
    assert record.extra == {"score": 4.5}


def test_a_system_prompt_is_set_aside_and_flagged() -> None:
    """It is neither trained on silently nor thrown away."""
    messages = [{"role": "system", "content": "Be brief."}, *ROWS["messages"]["messages"]]

    record = read_row({"messages": messages}, "messages")

    assert isinstance(record, InstructionRecord)
    assert record.extra == {"system": "Be brief."}
    assert [flag.code for flag in record.flags] == ["system_prompt_set_aside"]


def test_a_task_with_two_instances_is_two_pairs() -> None:
    """Self-Instruct keeps several answers under one instruction."""
    row = {"instruction": "a", "instances": [{"input": "1", "output": "x"}, {"input": "2", "output": "y"}]}

    pairs = [read_row(one, "self-instruct") for one in expand(row)]

    assert [one.context for one in pairs if isinstance(one, InstructionRecord)] == ["1", "2"]
