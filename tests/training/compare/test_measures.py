"""Measures: each says what it counts, and the parts add up to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import words
from training.answers.constraints import Constraint
from training.answers.respond import Answer, Prompt, Question
from training.compare.intervals import Part
from training.compare.measures import (
    MEASURES,
    by_kind,
    copied,
    differences,
    distinct,
    measure,
    numbers,
    repeated,
    runs,
    well_formed,
)

LONG = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"


def asked(instruction: str = "Name five colours of the sky.", **more: object) -> Question:
    """Return a question."""
    return Question(title="t", category="", prompt=Prompt(instruction), **more)  # type: ignore[arg-type]  # passed through


def said(text: str, *, stopped: bool = True, turn: bool = False) -> Answer:
    """Return an answer."""
    return Answer(text, stopped=stopped, tokens=len(text.split()), turn=turn)


def value(parts: list[Part]) -> float:
    """Return the ratio that parts add up to."""
    return sum(one.amount for one in parts) / sum(one.weight for one in parts)


@pytest.mark.parametrize(
    ("text", "amount", "weight"),
    [("", 0, 0), ("a b c", 0, 0), ("a b c d", 0, 1), ("a b c d a b c d", 1, 5), ("x x x x x x", 2, 3)],
)
def test_repetition_is_the_share_of_runs_seen_before(text: str, amount: float, weight: float) -> None:
    """Within one answer, by four words."""
    assert repeated(text) == Part(amount, weight)


@given(texts=st.lists(words, min_size=1, max_size=6))
def test_distinct_parts_add_up_to_distinct_2(texts: list[str]) -> None:
    """Different runs over runs, counted here a second time."""
    found = [run for text in texts for run in runs(text, 2)]
    parts = distinct(texts)

    assert sum(one.amount for one in parts) == pytest.approx(len(set(found)))
    assert sum(one.weight for one in parts) == len(found)


def test_what_stands_in_the_training_data_is_copied() -> None:
    """By runs of thirteen words, in any case; a shorter answer cannot be."""
    parts = copied([LONG, "short", LONG.replace("seven", "7")], [f"Before it, {LONG.upper()}!"])

    assert parts == [Part(2, 2), Part(0, 0), Part(0, 2)]


def test_without_training_data_copies_are_not_measured() -> None:
    """Rather than none."""
    assert copied([LONG], []) == [None]


@pytest.mark.parametrize(
    ("answer", "good"),
    [
        (said("Blue."), True),
        (said(""), False),
        (said("Blue.", turn=True), False),
        (said("name five colours of the sky. Blue."), False),
        (said("Below is an instruction that describes a task. Blue."), False),
        (said("Blue.", stopped=False), True),
    ],
)
def test_an_answer_is_well_formed(answer: Answer, *, good: bool) -> None:
    """Not nothing, not the prompt again, not another turn."""
    assert well_formed(asked(), answer) == good


def test_constraints_and_answers_count_where_there_are_any() -> None:
    """A prompt without them adds nothing; one with several has to have all followed."""
    questions = [
        asked(constraints=(Constraint("lower", {}), Constraint("one_word", {})), answers=("blue",)),
        asked(),
    ]
    parts = measure(questions, [said("Blue"), said("Sky")])

    assert parts["strict"] == [Part(amount=False), None]
    assert parts["exact"] == [Part(amount=True), None]
    assert by_kind(questions, [said("Blue"), said("Sky")]) == {
        "lower": {"asked": 1, "strict": 0, "loose": 0},
        "one_word": {"asked": 1, "strict": 1, "loose": 1},
    }


def test_every_measure_is_described() -> None:
    """And every one that is described is measured, here or on held-out records."""
    taken = set(measure([asked()], [said("Blue.")]))

    assert taken | {"nats_per_token", "nats_per_byte"} == set(MEASURES)


def test_numbers_come_by_category() -> None:
    """Where there is more than one."""
    parts = [Part(1), Part(0), Part(1)]

    found = numbers("stopped", parts, ["a", "b", "a"])

    assert found.overall is not None
    assert found.overall.value == pytest.approx(2 / 3)
    assert {name: (one.value, one.units) for name, one in found.by_category.items()} == {"a": (1, 2), "b": (0, 1)}
    assert numbers("stopped", parts, ["a", "a", "a"]).by_category == {}


def test_differences_are_over_prompts_that_both_have() -> None:
    """One that is missing on either side counts on neither."""
    found = differences("stopped", [Part(0), None, Part(0)], [Part(1), Part(1), Part(0)], ["", "", ""])

    assert found.overall is not None
    assert (found.overall.value, found.overall.units) == (0.5, 2)
