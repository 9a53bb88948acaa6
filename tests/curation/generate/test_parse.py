"""Lists of instructions out of answers: every line becomes something."""

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from curation.generate.endpoint import read_answer
from curation.generate.parse import list_items
from schemas.outcome import Rejection
from schemas.record import InstructionRecord, Provenance
from tests.curation.generate.scripted import completion
from tests.support import texts

BLANK = InstructionRecord(instruction="", response="", category="open_qa", provenance=Provenance(request="k"))


def items(text: str, finish: str = "stop") -> list[str]:
    """Return the instructions of an answer; a rejection by its code."""
    found = list_items(read_answer(completion(text, finish=finish)), BLANK)
    return [f"!{one.reasons[0].code}" if isinstance(one, Rejection) else one.instruction for one in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1. Name a river.\n2. Name a hill.", ["Name a river.", "Name a hill."]),
        ("  9) Name a river.  \n\n10: Name a hill.", ["Name a river.", "Name a hill."]),
        ("- Name a river.\n* Name a hill.\n• Name a sea.", ["Name a river.", "Name a hill.", "Name a sea."]),
        ("Sure! Here are two:\n1. Name a river.", ["!not_an_item", "Name a river."]),
        ("1.\n2. Name a hill.", ["", "Name a hill."]),
        ("1. Which was won in 1920. or 19.20.?", ["Which was won in 1920. or 19.20.?"]),
        ("   ", ["!answer_empty"]),
        ("1. Half a \ud83d pair", ["!broken_characters"]),
    ],
)
def test_a_line_is_an_item(text: str, expected: list[str]) -> None:
    """Numbers of any kind or bullets; another line is rejected, an empty item is one for the gates."""
    assert items(text) == expected


def test_the_last_item_of_a_cut_answer_is_none() -> None:
    """It may be whole or not; those before it are."""
    assert items("1. Name a river.\n2. Name a", "length") == ["Name a river.", "!instruction_truncated"]


def test_a_refused_request_is_rejected_in_the_endpoint_s_words() -> None:
    """What it said is the evidence."""
    (one,) = list_items(read_answer({"error": "too long for the context"}), BLANK)

    assert isinstance(one, Rejection)
    assert (one.reasons[0].code, one.reasons[0].found) == ("request_refused", "too long for the context")
    assert one.provenance.request == "k"


@given(texts, st.sampled_from(["stop", "length"]))
@examples(deadline=None)
def test_nothing_is_dropped(text: str, finish: str) -> None:
    """Whatever a model writes, each line of it that is not blank is in one item or rejection."""
    found = list_items(read_answer(completion(text, finish=finish)), BLANK)
    lines = [line for line in text.splitlines() if line.strip()]

    assert len(found) == max(1, len(lines))
    for line, one in zip(lines, found, strict=False):
        kept = str(one.row.get("raw")) if isinstance(one, Rejection) else one.instruction
        assert kept in line or one.row["raw"] == text  # type: ignore[union-attr]  # only a rejection holds it all
