"""Answers that are compared: normal forms, the majority, and what becomes of a record."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.generate.agreement import agreed, form_of
from curation.generate.rounds import Rounds
from curation.generate.source import Generate
from curation.generate.strategies import STRATEGIES
from schemas.errors import InputError
from schemas.outcome import Outcome, Rejection
from schemas.record import InstructionRecord
from tests.curation.generate.scripted import Scripted, numbers_of, spoken
from tests.curation.generate.test_rounds import GOAL, Noting, bytes_of, outcomes_of, plan_of
from tests.curation.generate.test_strategies import MATERIAL, shelf_of
from tests.support import pair


def form(instruction: str, response: str, category: str, context: str = "") -> str:
    """Return a response's normal form."""
    return form_of(pair(instruction, response, context, category=category))


@pytest.mark.parametrize(
    ("category", "instruction", "one", "other"),
    [
        ("closed_qa", "When was Elm Quay closed?", "1903", "Elm Quay was closed in 1903."),
        ("closed_qa", "What did it carry?", "41 passengers and two goats.", "Two goats, 41 passengers"),
        ("classification", "Is this a complaint or praise?", "Complaint", "The answer is: complaint."),
        ("information_extraction", "Name the price.", "1,240.50 crowns", "1240.5 crowns"),
        ("open_qa", "What is 17 times 3?", "51", "17 times 3 is 10 times 3 plus 7 times 3, which makes 51."),
        ("open_qa", "Which city is the capital of Peru?", "Lima.", "The capital of Peru is Lima"),
    ],
)
def test_the_same_said_otherwise(category: str, instruction: str, one: str, other: str) -> None:
    """One form."""
    assert form(instruction, one, category) == form(instruction, other, category) != ""


@pytest.mark.parametrize(
    ("category", "instruction", "one", "other"),
    [
        ("closed_qa", "When was Elm Quay closed?", "1903", "1910"),
        ("classification", "Is this a complaint or praise?", "Complaint", "Praise"),
        ("classification", "Is it a complaint?", "A complaint", "Not a complaint"),
        ("open_qa", "What is 17 minus 20?", "-3", "3"),
        ("information_extraction", "Who, and when?", "Anna, 12 May", "Bert, 12 May"),
    ],
)
def test_something_else(category: str, instruction: str, one: str, other: str) -> None:
    """Two forms."""
    assert form(instruction, one, category) != form(instruction, other, category)


@pytest.mark.parametrize(
    ("category", "response"),
    [
        ("brainstorming", "Sell it."),
        ("creative_writing", "Moon over harbour"),
        ("open_qa", "Bread rises because yeast makes gas that the dough holds, at 30 degrees fastest."),
        ("closed_qa", "Because storms had damaged the roof, nobody dared to enter the old chapel any more."),
    ],
)
def test_what_cannot_be_compared_has_no_form(category: str, response: str) -> None:
    """Many right answers, or many ways to say the right one."""
    assert form("Tell me about it.", response, category) == ""


@given(st.lists(st.sampled_from(["", "a", "b", "c"]), max_size=7), st.integers(1, 7))
def test_what_is_decided_stays_decided(forms: list[str], planned: int) -> None:
    """More answers change nothing, and with the last one it is decided: by more than half."""
    forms = forms[:planned]
    verdicts = [agreed(forms[:at], planned) for at in range(len(forms) + 1)]

    assert all(before in (None, after) for before, after in pairwise(verdicts))
    if len(forms) == planned:
        assert verdicts[-1] is any(2 * forms.count(one) > planned for one in "abc")


def answered(folder: Path, *responses: str, agree: int = 3) -> tuple[list[Outcome], Scripted, Noting]:
    """Answer a closed question of a record anew: the n-th sample is the n-th of the responses."""
    old = pair("When was Elm Quay closed?", "1903", "Elm Quay was closed in 1903.", category="closed_qa")
    said = iter(responses)
    endpoint, aside = Scripted(lambda messages, sample: (next(said), "stop")), Noting()
    plan = plan_of("answer", replace(MATERIAL, records=(old,)), agree=agree)
    goal = replace(GOAL, min_yield=0.0)
    return outcomes_of(Rounds(plan, endpoint, shelf_of(folder).seeds, goal, aside=aside)), endpoint, aside


def test_two_that_agree_are_enough_of_three(tmp_path: Path) -> None:
    """The third is not asked for; the record says how many agreed, its requests are all named."""
    (record,), endpoint, aside = answered(tmp_path, "In 1903.", "1903")

    assert isinstance(record, InstructionRecord)
    assert (record.response, record.extra["agreement"]) == ("In 1903.", {"answers": 2, "agree": 2})
    (requests,) = [row for name, row in aside.rows if name == "requests"]
    assert [requests["response"], requests["response_2"]] == [one.key for one in endpoint.asked]


def test_the_majority_overrules_the_first(tmp_path: Path) -> None:
    """Its answer is the record's, with the request that it came out of."""
    (record,), endpoint, _ = answered(tmp_path, "1910", "In 1903.", "1903")

    assert isinstance(record, InstructionRecord)
    assert record.response == "In 1903."
    assert record.provenance.request == endpoint.asked[1].key
    assert record.extra["agreement"] == {"answers": 3, "agree": 2}


def test_answers_that_disagree_are_the_evidence(tmp_path: Path) -> None:
    """All of them, in full in the row; an empty one agrees with nobody."""
    (rejection,), _, _ = answered(tmp_path, "1910", "", "In 1903.")

    assert isinstance(rejection, Rejection)
    (reason,) = rejection.reasons
    assert (reason.code, reason.found) == ("answers_disagree", "1910 | response_empty | In 1903.")
    assert (reason.limit, reason.scores) == ("2 of 3 answers alike", {"answers": 3, "agree": 1})
    assert rejection.row["extra"]["answers"] == ["1910", "response_empty", "In 1903."]


def test_nothing_is_asked_twice_without_it(tmp_path: Path) -> None:
    """The default; and where no form can be told."""
    _, endpoint, _ = answered(tmp_path, "1910", agree=1)
    long = "Because storms had damaged the roof, nobody dared to enter the old chapel any more."
    _, other, _ = answered(tmp_path, long)

    assert len(endpoint.asked) == len(other.asked) == 1


def test_more_answers_ask_for_none_again(tmp_path: Path) -> None:
    """The requests of two are the first of three."""
    _, two, _ = answered(tmp_path, "1910", "1903", agree=2)
    _, three, _ = answered(tmp_path, "1910", "1903", "1903", agree=3)

    assert [one.key for one in two.asked] == [one.key for one in three.asked][:2]
    assert len({one.key for one in three.asked}) == 3


def label(messages: list[Mapping[str, str]], sample: str) -> tuple[str, str]:
    """Speak as ever, but answer mostly by a label."""
    text, finish = spoken(messages, sample)
    number = numbers_of(str(messages) + sample)
    return (
        (("Lima", "Lima", "Cuzco", text)[next(number) % 4], "stop")
        if text.startswith("It is about")
        else (text, finish)
    )


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_same_bytes_at_any_concurrency(tmp_path: Path, name: str) -> None:
    """For every strategy, some answers agreeing and some not."""
    made = []
    for concurrency in (1, 16):
        goal = replace(GOAL, n=6, concurrency=concurrency, min_yield=0.0)
        endpoint = Scripted(label, wait_s=0.003)
        plan = plan_of(name, MATERIAL, agree=2)
        made.append(bytes_of(outcomes_of(Rounds(plan, endpoint, shelf_of(tmp_path).seeds, goal))))

    assert made[0] == made[1]


def test_some_agree_and_some_do_not(tmp_path: Path) -> None:
    """A check of the test before: it sees both."""
    goal = replace(GOAL, n=6, min_yield=0.0)
    outcomes = outcomes_of(Rounds(plan_of(agree=2), Scripted(label), shelf_of(tmp_path).seeds, goal))

    codes = [reason.code for one in outcomes if isinstance(one, Rejection) for reason in one.reasons]
    assert "answers_disagree" in codes
    assert any("agreement" in one.extra for one in outcomes if isinstance(one, InstructionRecord))


def test_agreement_wants_answers_that_can_differ() -> None:
    """At temperature 0 the second says what the first said."""
    with pytest.raises(InputError, match="answer_temperature: expected over 0 with agree"):
        Generate(agree=2, answer_temperature=0.0)
    with pytest.raises(InputError, match="agree: expected 1 or more, found 0"):
        Generate(agree=0)
