"""Constraints: each can be followed and broken, strictly and loosely, and is read from a file with care."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import InputError
from tests.support import texts
from training.answers.constraints import CONSTRAINTS, Constraint, judge, loose_readings, read_constraint
from training.answers.rules.counts import sentences_of, words_of

EMAIL = "Subject: The tap\n\nDear Ms Lee,\n\nIt drips.\n\nKind regards,\nBo"
TABLE = "| name | age |\n|---|---:|\n| Bo | 7 |"
CASES: dict[str, tuple[dict[str, object], list[str], list[str]]] = {
    "items": ({"count": 2}, ["1. a\n2. b", "- a\n- b", "Here:\n* a\n* b"], ["- a", "a\nb", "1. a\n2. b\n3. c"]),
    "words_at_least": ({"count": 3}, ["one two three", "one don't three four"], ["one two", "- - -"]),
    "words_at_most": ({"count": 3}, ["one two three", "one"], ["one two three four"]),
    "one_word": ({}, ["Paris", "Paris.", "merry-go-round"], ["New York", "It is: Paris", "!"]),
    "sentences": (
        {"count": 2},
        ["One. Two.", "Dr. Bo paid 3.50 there. Why?", "One\nTwo", "一。二。"],
        ["One.", "One. Two. Three!", "..."],
    ),
    "paragraphs": ({"count": 2}, ["a\nb\n\nc", "a\n \n\nb"], ["a\nb", "a\n\nb\n\nc"]),
    "lines": ({"count": 2}, ["a\nb", "a\n\nb\n"], ["a", "a\nb\nc"]),
    "json": ({}, ['{"a": 1}', "[1, 2]"], ["{a: 1}", "5", '{"a": 1} and so on']),
    "json_keys": ({"keys": ("a", "b")}, ['{"b": 1, "a": {}}'], ['{"a": 1}', '{"a": 1, "b": 2, "c": 3}', '["a", "b"]']),
    "bullets": ({"count": 2}, ["- a\n- b", "* a\n* b"], ["1. a\n2. b", "- a", "- a\n- b\n3. c"]),
    "numbered": (
        {"count": 2},
        ["1. a\n2. b", "1) a\n2) b", "So:\n1. a\n2. b"],
        ["1. a\n3. b", "2. a\n1. b", "- a\n- b"],
    ),
    "table": (
        {"columns": 2},
        [TABLE, "name | age\n--- | ---\nBo | 7"],
        ["name, age", "| a | b |\n|---|---|", "| a | b | c |\n|---|---|---|\n| 1 | 2 | 3 |"],
    ),
    "quoted": ({}, ['"Yes."', "“Yes.”"], ["Yes.", '"Yes." he said', '"', '""']),
    "iso_date": ({}, ["2031-03-07", "on 2031-03-07."], ["7 March 2031", "2031-13-07", "2031-3-7"]),
    "email": (
        {},
        [EMAIL, "**Subject:** Hi\nHello Bo\nIt drips.\nThanks"],
        ["Dear Bo, it drips.", EMAIL[17:], EMAIL[:-17]],
    ),
    "question": ({}, ["Why?", "He asked: “Why?”", "なぜ？"], ["Why.", "Why? Because."]),  # noqa: RUF001  # of another script
    "contains": ({"words": ("tap", "New York")}, ["A TAP in New York."], ["A tap.", "Taps in New York"]),
    "contains_times": ({"word": "tap", "count": 2}, ["tap tap", "Tap, tap, tap"], ["tap", "tap taps"]),
    "avoids": ({"words": ("snow", "ice")}, ["It is nice."], ["Ice!", "snow"]),
    "lower": ({}, ["small letters, 5."], ["A capital", "5"]),
    "upper": ({}, ["MIND THE GAP 5"], ["MIND the GAP", "5"]),
    "title": ({}, ["The Clock of the Town", "Found: A Clock"], ["The clock of the town", "The Clock\nIs Back", "?"]),
    "starts_with": ({"start": "It was"}, ["It was late.", "it was"], ["So it was."]),
    "ends_with": ({"end": "Pip"}, ["Yours, Pip", "pip\n"], ["Pip!"]),
    "language": (
        {"code": "de"},
        ["Das Fenster ist offen und das Zimmer ist kalt."],
        ["The window is open and the room is cold.", "123"],
    ),
    "no_commas": ({}, ["One and two."], ["One, two", "一，二", "!"]),  # noqa: RUF001  # of another script
    "number": ({}, ["It costs 5 pounds.", "1. 20 eggs"], ["five", "1. eggs\n2. milk"]),
    "one_of": ({"labels": ("yes", "not yet")}, ["yes", "Not yet."], ["yes, sir", "no"]),
    "alphabetical": ({}, ["a, b, c", "- Ann\n- bob", "Here:\n1. a\n2. b", "a\nb"], ["b, a", "- b\n- a", "alone"]),
}
"""Kind → settings, answers that follow it, answers that do not, even read loosely."""
FOLLOWED = [(kind, text) for kind, (_, good, _) in CASES.items() for text in good]
BROKEN = [(kind, text) for kind, (_, _, bad) in CASES.items() for text in bad]


def of(kind: str) -> Constraint:
    """Return the constraint of a kind that the cases are about."""
    return Constraint(kind, CASES[kind][0])


def test_every_kind_has_answers_that_follow_and_answers_that_do_not() -> None:
    """A check that cannot pass, or cannot fail, is none."""
    assert set(CASES) == set(CONSTRAINTS)
    assert len(CONSTRAINTS) >= 25
    assert all(good and bad for _, good, bad in CASES.values())


@pytest.mark.parametrize(("kind", "text"), FOLLOWED)
def test_what_follows_a_constraint_follows_it_in_both_readings(kind: str, text: str) -> None:
    """Strictly, and so loosely."""
    assert judge(text, of(kind)) == (kind, True, True)


@pytest.mark.parametrize(("kind", "text"), BROKEN)
def test_what_breaks_a_constraint_breaks_it(kind: str, text: str) -> None:
    """Strictly."""
    assert not judge(text, of(kind)).strict


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("json", 'Sure, here it is:\n{"a": 1}'),
        ("json", '```json\n{"a": 1}\n```'),
        ("lower", "Here you go:\nsmall letters"),
        ("one_of", "**Yes**"),
        ("starts_with", "# It was late"),
        ("quoted", 'Of course!\n"Yes."\nHope this helps.'),
    ],
)
def test_a_model_that_says_sure_first_follows_loosely(kind: str, text: str) -> None:
    """Markdown's marks, the first line, the last line."""
    assert judge(text, of(kind)) == (kind, False, True)


@given(text=texts, kind=st.sampled_from(sorted(CONSTRAINTS)))
def test_any_text_can_be_judged(text: str, kind: str) -> None:
    """What is followed strictly is followed loosely; nothing follows nothing."""
    found = judge(text, of(kind))

    assert found.loose or not found.strict
    assert bool(text.strip()) or not found.loose


@given(text=texts)
def test_loose_readings_add_no_words(text: str) -> None:
    """They only leave out."""
    assert all(len(words_of(one)) <= len(words_of(text)) + text.count("_") for one in loose_readings(text))


@given(count=st.integers(1, 9))
def test_sentences_are_counted(count: int) -> None:
    """Whatever ends them."""
    text = " ".join(f"Sentence {number}{'.!?'[number % 3]}" for number in range(count))

    assert len(sentences_of(text)) == count


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("items", "a kind of items"),
        ({"kind": "rhyme"}, "a kind of items"),
        ({"kind": "items"}, "items: expected count, found none"),
        ({"kind": "items", "count": 2, "of": "x"}, "expected count, found count, of"),
        ({"kind": "items", "count": "2"}, "count: expected a positive number, found '2'"),
        ({"kind": "items", "count": True}, "a positive number"),
        ({"kind": "contains", "words": "tap"}, "words: expected a list of texts"),
        ({"kind": "contains", "words": []}, "a list of texts"),
        ({"kind": "starts_with", "start": 5}, "start: expected a text"),
        ({"kind": "json", "indent": 2}, "expected no settings"),
    ],
)
def test_a_wrong_constraint_is_refused(row: object, message: str) -> None:
    """Naming the kind, the setting and what was expected."""
    with pytest.raises(InputError, match=message):
        read_constraint(row, "prompts.jsonl:1")


def test_a_constraint_says_what_it_asks_for() -> None:
    """In words that stand on the page."""
    assert of("items").words == "items of a list: 2"
    assert of("contains").words == "contains “tap”, “New York”"
