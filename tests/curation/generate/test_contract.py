"""The output contract: whatever a model writes, what is whole is told from what is cut, and nothing is dropped."""

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from curation.generate.contract import FORMS, Wanted, mark_of, records_of
from curation.generate.endpoint import Answer, Message, Request, read_answer
from schemas.outcome import Rejection
from schemas.record import InstructionRecord, Provenance
from tests.curation.generate.scripted import completion
from tests.support import filled, texts

BLANK = InstructionRecord(instruction="", response="", category="open_qa", provenance=Provenance(request="k"))
LIST = Wanted(form="list", count=4)
SCHEMA = Wanted(form="schema", count=4)
PAIRS = Wanted(form="schema", count=2, fields=("instruction", "context"), optional=("context",))
TEXT = Wanted(form="text", count=2, fields=("instruction", "context"), optional=("context",), mark=mark_of(1, 0, 0))


def answer(text: str, finish: str = "stop") -> Answer:
    """Return an answer with this text."""
    return read_answer(completion(text, finish=finish))


def found(wanted: Wanted, text: str, finish: str = "stop") -> list[str]:
    """Return the instructions of an answer; a rejection by its code."""
    made = records_of(wanted.items(answer(text, finish)), BLANK)
    return [f"!{one.reasons[0].code}" if isinstance(one, Rejection) else one.instruction for one in made]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1. Name a river.\n2. Name a hill.", ["Name a river.", "Name a hill."]),
        ("  9) Name a river.  \n\n10: Name a hill.", ["Name a river.", "Name a hill."]),
        ("- Name a river.\n* Name a hill.\n• Name a sea.", ["Name a river.", "Name a hill.", "Name a sea."]),
        ("Sure! Here are two:\n1. Name a river.", ["Name a river.", "!not_an_item"]),
        ("1.\n2. Name a hill.", ["", "Name a hill."]),
        ("1. Which was won in 1920. or 19.20.?", ["Which was won in 1920. or 19.20.?"]),
        ("   ", ["!answer_empty"]),
        ("1. Half a \ud83d pair", ["!broken_characters"]),
    ],
)
def test_a_line_of_a_list_is_an_item(text: str, expected: list[str]) -> None:
    """Numbers of any kind or bullets; another line is rejected, an empty item is one for the gates."""
    assert found(LIST, text) == expected


def test_the_last_line_of_a_cut_list_is_none() -> None:
    """It may be whole or not; those before it are."""
    assert found(LIST, "1. Name a river.\n2. Name a", "length") == ["Name a river.", "!instruction_truncated"]


@pytest.mark.parametrize(
    ("text", "finish", "expected"),
    [
        ('{"items": ["Name a river.", "Name \\"20.\\""]}', "stop", ["Name a river.", 'Name "20."']),
        ('```json\n{"items": ["Name a river."]}\n```', "stop", ["Name a river."]),
        ('{"items": ["Name a river.", "Name a h', "length", ["Name a river.", "!instruction_truncated"]),
        ('{"items": ["Name a river."', "length", ["Name a river."]),
        ('{"items": [{"instruction": "Name a river."}]}', "stop", ["Name a river."]),
        ('{"items": ["Name a river.", 7, {"task": "x"}]}', "stop", ["Name a river.", "!not_an_item", "!not_an_item"]),
        ('{"items": ["Name a river." "Name', "stop", ["Name a river.", "!not_an_item"]),
        ('{"items": []}', "stop", ["!not_an_item"]),
        ('{"it', "length", ["!instruction_truncated"]),
        ("Sure, here are two rivers.", "stop", ["!not_an_item"]),
        ("[" * 5000, "stop", ["!not_an_item"]),
    ],
)
def test_json_is_read_item_by_item(text: str, finish: str, expected: list[str]) -> None:
    """A schema does not keep an answer from being cut: only elements that were closed count."""
    assert found(SCHEMA, text, finish) == expected


def test_an_item_of_several_fields_is_an_object() -> None:
    """A field that may be left out is empty then; one that may not makes it no item."""
    items = PAIRS.items(
        answer('{"items": [{"instruction": "Sum it up.", "context": "A text."}, {"instruction": "Why?"}]}')
    )

    assert items.closed == ({"instruction": "Sum it up.", "context": "A text."}, {"instruction": "Why?", "context": ""})
    assert found(PAIRS, '{"items": [{"context": "A text."}]}') == ["!not_an_item"]


def test_marked_text_is_closed_by_its_end() -> None:
    """What stands around the items, and one whose end did not come, is the rest."""
    mark = TEXT.mark
    first = f"Sure!\n<{mark} instruction>\nA\n<{mark} end>"
    text = f"{first}\n<{mark} instruction>\nB 20.\n\nC\n<{mark} context>\nD\n<{mark} end>"

    assert found(TEXT, text) == ["B 20.\n\nC", "!not_an_item"]
    assert found(TEXT, f"{text}\n<{mark} instruction>\nE", "length") == [
        "B 20.\n\nC",
        "!not_an_item",
        "!instruction_truncated",
    ]


@pytest.mark.parametrize("form", FORMS)
@given(items=st.lists(st.fixed_dictionaries({"instruction": filled, "context": texts}), min_size=1, max_size=4))
@examples(deadline=None, max_examples=30)
def test_what_is_shown_is_read_back(form: str, items: list[Mapping[str, str]]) -> None:
    """An example that is written as a model would write it is read as what it was, hostile texts included."""
    fields: tuple[str, ...] = ("instruction",) if form == "list" else ("instruction", "context")
    wanted = Wanted(form=form, count=len(items), fields=fields, optional=("context",), mark=mark_of(1, 2))
    given_items = [{field: _fitting(form, item[field]) for field in fields} for item in items]

    read = wanted.items(answer(wanted.shown(given_items)))

    assert list(read.closed) == given_items
    assert read.rest == ()


def _fitting(form: str, text: str) -> str:
    """Return a text that a form has room for: a list has lines, marks stand on lines of their own."""
    text = "".join(char for char in text if char.isprintable())
    return " ".join(text.split()) or "x" if form == "list" else text if form != "text" else text.strip() or "x"


@pytest.mark.parametrize("form", FORMS)
@given(text=texts, finish=st.sampled_from(["stop", "length"]))
@examples(deadline=None, max_examples=50)
def test_nothing_is_dropped(form: str, text: str, finish: str) -> None:
    """Whatever comes instead of items is in the rest, as it came."""
    items = Wanted(form=form, count=2, mark="k0").items(answer(text, finish))
    lines = [line for line in text.splitlines() if line.strip()]

    assert items.closed or items.rest
    if form == "list" and lines:
        assert len(items.closed) + len(items.rest) == len(lines)


def test_reasoning_without_an_answer_has_its_own_reason() -> None:
    """Its tokens were paid for: the limit was too small for this model."""
    body = {"choices": [{"message": {"content": None, "reasoning_content": "Let me see"}, "finish_reason": "length"}]}
    (piece,) = LIST.items(read_answer(body)).rest

    assert piece.reason.code == "answer_only_reasoning"
    assert "Let me see" in str(piece.reason.found)


def test_a_tool_call_is_read_like_json() -> None:
    """The items are its arguments."""
    call = {"function": {"name": "items", "arguments": '{"items": ["Name a river."]}'}}
    body = {"choices": [{"message": {"content": None, "tool_calls": [call]}, "finish_reason": "tool_calls"}]}

    assert Wanted(form="tool", count=1).items(read_answer(body)).closed == ({"instruction": "Name a river."},)


def test_a_refused_request_is_rejected_in_the_endpoint_s_words() -> None:
    """What it said is the evidence."""
    (one,) = records_of(LIST.items(read_answer({"error": "too long for the context"})), BLANK)

    assert isinstance(one, Rejection)
    assert (one.reasons[0].code, one.reasons[0].found) == ("request_refused", "too long for the context")
    assert one.provenance.request == "k"


REQUEST = Request(model="m", messages=(Message("user", "Write 4."),), params={"max_tokens": 50, "temperature": 0.5})


def test_a_cut_answer_is_asked_for_its_rest() -> None:
    """Once, for as many as are missing, after those that are there."""
    more = SCHEMA.more(REQUEST, answer('{"items": ["Name a river.", "Name a h', "length"))

    assert more is not None
    rest, request = more
    assert rest.count == 3
    assert [message.role for message in request.messages] == ["user", "assistant", "user"]
    assert json.loads(request.messages[1].content) == {"items": ["Name a river."]}
    assert "3 more" in request.messages[2].content
    assert request.params == REQUEST.params
    assert request.key != REQUEST.key


def test_a_limit_that_holds_no_item_is_doubled() -> None:
    """The same question, with room."""
    more = SCHEMA.more(REQUEST, answer('{"items": ["Name a h', "length"))

    assert more is not None
    assert more[1].messages == REQUEST.messages
    assert more[1].params["max_tokens"] == 100


def test_a_whole_answer_is_not_asked_for_more() -> None:
    """Nor one that was cut after its last item."""
    assert SCHEMA.more(REQUEST, answer('{"items": ["Name a river."]}')) is None
    assert Wanted(form="list", count=1).more(REQUEST, answer("1. Name a river.\n2. N", "length")) is None


def test_marks_are_functions_of_their_place() -> None:
    """The same request has the same key today and tomorrow; another place has another mark."""
    assert mark_of(1, 2, 3) == mark_of(1, 2, 3) == "k" + mark_of(1, 2, 3)[1:]
    assert len({mark_of(1, 0, ordinal) for ordinal in range(1000)}) == 1000


def test_the_server_is_told_of_every_field() -> None:
    """Strict schemas want every property required and no other."""
    schema = PAIRS.constraint["response_format"]["json_schema"]["schema"]["properties"]["items"]["items"]

    assert schema["required"] == ["instruction", "context"]
    assert schema["additionalProperties"] is False
    assert Wanted(form="tool", count=1).constraint["tool_choice"]["function"] == {"name": "items"}
    assert LIST.constraint == {}
