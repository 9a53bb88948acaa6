"""Laws of the stage `filter` and of every check in its catalogue, on whatever text there is."""

import pickle
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.filters.catalogue import CHECKS, choose
from curation.filters.stage import Filter, judge
from schemas.codec import read_record, write_record
from schemas.outcome import Outcome, Rejection
from schemas.record import InstructionRecord, Reason, Repair

PHRASES = (
    "<noinput>", "No input", "N/A", "none", "<nooutput>", "[Insert chart]", "6. Instruction:", "### Response:", "</s>",
    "<|im_end|>", "// end of output //", "I'm sorry, but I can't help", "As an AI language model, I", "Draw a cat",
    "the following text", "https://example.org/a", "![a](b)", "Translate", "as of 20", "The end of", "$", "(", "\n",
    " ", "\u200b", "\ufeff", "\x00", "\u202e", "\u05e9\u05dc\u05d5\u05dd", "\U0001f468\u200d\U0001f469", "\u0130",
    "\ufdfa",
    "2 + 2 = 5", "7 x 8", "What is ", "```python\n", "def f(", "\u00c3\u00a9", "\u00e2\u20ac\u2122", "@gmail.com",
    "312-867-4409", "Set an alarm", "Alarm set", "fuck", "key = '", "=", "%",
)  # fmt: skip
"""What checks look for, and characters that break careless code."""

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.lists(
    st.sampled_from(PHRASES) | st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=8
).map("".join)
records = st.builds(InstructionRecord, instruction=texts, context=texts, response=texts)

LONG = 100_000
HOSTILE = (
    "a" * LONG, " " * LONG, "\n" * LONG, "." * LONG, "(" * LONG, "a(" * (LONG // 2), "[" * LONG, "<" * LONG,
    "# " * (LONG // 2), "1." * (LONG // 2), "1. " * (LONG // 3) + "x", "as an " * (LONG // 6), "large " * (LONG // 6),
    "http://" * (LONG // 7), "https://a " * (LONG // 10), "link: " * (LONG // 6), "![" * (LONG // 2), "\\" * LONG + "$",
    "the following " * (LONG // 14), "create a " * (LONG // 9), "@a." * (LONG // 3), "; " * (LONG // 2) + "x",
    "\U0001f600" * LONG, "4" * LONG, "2 + 2 = " + "4" * LONG,
    "create a video " * (LONG // 15), "create a video" + " " * LONG, "write an email attached " * (LONG // 24),
    "sorry, i " * (LONG // 9), "i am claude a " * (LONG // 14), "my training data " * (LONG // 17), "-" * LONG + "3",
    "minus " * (LONG // 6) + "3", "the word " * (LONG // 9), "[" * LONG + '"json"', "values above " * (LONG // 13),
    "1+" * (LONG // 2) + "=", "1 = " * (LONG // 4), "((1" * (LONG // 3), "a@" * (LONG // 2), "a.a@a." * (LONG // 6),
    "1-" * (LONG // 2), "12 34 " * (LONG // 6), "AA00 " * (LONG // 5), "```python\n" * (LONG // 10),
    "\u00e2\u20ac" * (LONG // 2), "eyJ" * (LONG // 3), "key='" * (LONG // 5), "the new " * (LONG // 8),
    "\ufdfa" * (LONG // 10), "\u202e\u05d0" * (LONG // 2), "a. " * (LONG // 3) + "of", "no input " * (LONG // 9),
    "</s>" * (LONG // 4), "\n##" * (LONG // 3), "// eom //" * (LONG // 9), "sorry " * (LONG // 6), "\x00" * LONG,
)  # fmt: skip
"""Texts on which a regular expression that backtracks would not come back."""


def outcomes(record: InstructionRecord) -> list[Outcome]:
    """Apply the stage to one record."""
    return list(Filter()([record]))


@given(records)
@settings(deadline=None)
def test_one_outcome_per_record_with_reasons_that_are_known(record: InstructionRecord) -> None:
    """Whatever the text, there is one outcome, and a rejection gives codes of the catalogue."""
    (outcome,) = outcomes(record)

    if isinstance(outcome, Rejection):
        assert {reason.code for reason in outcome.reasons} <= set(CHECKS)
        assert outcome.id == record.id


@given(records)
@settings(deadline=None)
def test_a_second_pass_changes_nothing(record: InstructionRecord) -> None:
    """What was kept is kept again: nothing is rejected, repaired or flagged anew, even after being on disk."""
    (kept,) = outcomes(record)

    if isinstance(kept, InstructionRecord):
        assert outcomes(kept) == [kept]
        assert outcomes(read_record(write_record(kept))) == [kept]


@given(st.lists(records, max_size=5))
@settings(deadline=None)
def test_outcomes_stand_in_the_order_of_their_records(some: list[InstructionRecord]) -> None:
    """One outcome each, in input order: record by record gives the same as all at once."""
    assert list(Filter()(some)) == [outcome for record in some for outcome in outcomes(record)]


@pytest.mark.parametrize("code", CHECKS)
@given(record=records)
@settings(max_examples=60, deadline=None)
def test_every_check_is_a_pure_function_that_can_travel(code: str, record: InstructionRecord) -> None:
    """Twice the same answer, also from a pickled copy; the answer is a finding of that check in a field there is."""
    check = choose(code, {}).check

    finding = check(record)

    assert check(record) == finding == pickle.loads(pickle.dumps(check))(record)
    assert finding is None or (isinstance(finding, Reason | Repair) and finding.code == code)
    assert finding is None or hasattr(record, finding.field)


@pytest.mark.parametrize("code", [code for code in CHECKS if choose(code, {}).action == "repair"])
@given(record=records)
@settings(max_examples=60, deadline=None)
def test_a_repair_leaves_nothing_to_repair(code: str, record: InstructionRecord) -> None:
    """A check that repairs finds nothing in what it repaired."""
    chosen = choose(code, {})

    kept = judge(record, [chosen])

    assert isinstance(kept, InstructionRecord)
    assert chosen.check(kept) is None


@pytest.mark.parametrize("code", CHECKS)
def test_no_text_holds_a_check_up(code: str) -> None:
    """A hundred thousand characters of anything are judged in time that grows with the length."""
    check = choose(code, {}).check
    plain = InstructionRecord(instruction="Describe it in a word or two.", response="It is so.")

    for text in HOSTILE:
        for field in ("instruction", "context", "response"):
            check(replace(plain, **{field: text}))  # type: ignore[arg-type]  # the three are texts
