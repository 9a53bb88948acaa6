"""Self-Instruct: what is shown, in which order the fields are asked for, and where a record says it came from."""

import asyncio
from collections.abc import Mapping

import pytest

from curation.generate.endpoint import Request, read_answer
from curation.generate.source import Generate
from curation.generate.strategies import Draft, SelfInstruct, Shelf, Turn
from schemas.outcome import Rejection
from schemas.record import InstructionRecord
from tests.curation.generate.scripted import Scripted, completion

STRATEGY = SelfInstruct(Generate().sampling())


def seeds_of(category: str, count: int = 10, *, context: bool = False) -> list[InstructionRecord]:
    """Return seeds of a category."""
    return [
        InstructionRecord(
            instruction=f"{category} task {at}",
            response=f"{category} answer {at}",
            context=f"{category} text {at}" if context else "",
            category=category,
        )
        for at in range(count)
    ]


SEEDS = {
    "brainstorming": seeds_of("brainstorming"),
    "classification": seeds_of("classification", 5) + seeds_of("classification", 5, context=True),
    "summarization": seeds_of("summarization", context=True),
}
MADE = {"brainstorming": tuple(seeds_of("made", 5))}
SHELF = Shelf(seeds=SEEDS, made=MADE)


def turn(ordinal: int, category: str = "brainstorming") -> Turn:
    """Return a turn of the first round."""
    return Turn(round=0, ordinal=ordinal, number=ordinal, category=category)


def draft(instruction: str, category: str) -> Draft:
    """Return a draft that holds only an instruction."""
    return Draft(record=InstructionRecord(instruction=instruction, response="", category=category))


def finish(instruction: str, category: str, *answers: tuple[str, str]) -> tuple[Draft | Rejection, list[Request]]:
    """Finish a draft with these answers; returns it and what was asked."""
    left = list(answers)
    endpoint = Scripted(lambda messages, sample: left.pop(0))
    return asyncio.run(STRATEGY.finish(draft(instruction, category), SHELF, endpoint)), endpoint.asked


def asked_for(request: Request) -> str:
    """Return the last turn of a request."""
    return request.messages[-1].content


def test_a_request_shows_six_of_people_and_two_of_its_own() -> None:
    """All of one category, each once; where nothing was made yet, six."""
    mixed, human = STRATEGY.propose(turn(0), SHELF), STRATEGY.propose(turn(1, "classification"), SHELF)
    assert mixed.request
    text = "\n".join(message.content for message in mixed.request.messages)

    assert len({shown.id for shown in mixed.examples}) == 8
    assert sum(shown in MADE["brainstorming"] for shown in mixed.examples) == 2
    assert all(shown.instruction in text for shown in mixed.examples)
    assert len(human.examples) == 6
    assert {shown.category for shown in human.examples} == {"classification"}


def test_requests_of_a_round_differ_and_can_be_made_again() -> None:
    """Each draws its own examples; the same round draws the same."""
    keys, again = ([STRATEGY.propose(turn(at), SHELF).request for at in range(8)] for _ in range(2))

    assert len({one.key for one in keys if one}) == 8
    assert keys == again


def test_an_answer_becomes_drafts() -> None:
    """One an item, with category, model, request and examples."""
    proposal = STRATEGY.propose(turn(0), SHELF)
    assert proposal.request
    made = STRATEGY.read(proposal, read_answer(completion("1. Name rivers.\n2. Name hills.", model="served")))

    assert all(isinstance(one, Draft) for one in made)
    (first, second) = (one.record for one in made if isinstance(one, Draft))
    assert (first.instruction, second.instruction) == ("Name rivers.", "Name hills.")
    assert first.provenance.model == "served"
    assert first.provenance.request == proposal.request.key
    assert first.provenance.seeds == tuple(shown.id for shown in proposal.examples)


def test_a_plain_task_is_answered_at_once() -> None:
    """One request, with examples of the category that have no context."""
    made, asked = finish("Give three uses of a brick.", "brainstorming", ("  Doorstop.  ", "stop"))

    assert isinstance(made, Draft)
    assert (made.record.context, made.record.response) == ("", "Doorstop.")
    assert [asked_for(one) for one in asked] == [
        "Answer with a list of a few short ideas.\n\nGive three uses of a brick."
    ]
    assert made.requests == {"response": asked[0].key}
    assert made.record.provenance.request == asked[0].key
    assert made.record.provenance.model == "scripted"


def test_a_category_about_texts_has_its_text_first() -> None:
    """Input first: the text for the instruction, then the response to both."""
    made, asked = finish("What was decided?", "summarization", ("They met and chose.", "stop"), ("A choice.", "stop"))

    assert isinstance(made, Draft)
    assert (made.record.context, made.record.response) == ("They met and chose.", "A choice.")
    assert "What was decided?" in asked_for(asked[0])
    assert asked_for(asked[1]).endswith("\n\nWhat was decided?\n\nThey met and chose.")
    assert list(made.requests) == ["context", "response"]


def test_a_classification_of_a_text_has_its_label_first() -> None:
    """Output first: the label, then a text that it fits; the labels of a model that writes texts first are all one."""
    made, asked = finish("Is this review kind?", "classification", ("Unkind", "stop"), ("It was cold.", "stop"))

    assert isinstance(made, Draft)
    assert (made.record.context, made.record.response) == ("It was cold.", "Unkind")
    assert "Unkind" in asked_for(asked[1])
    assert list(made.requests) == ["response", "context"]


def test_a_classification_that_holds_its_items_is_answered_at_once() -> None:
    """It needs no text."""
    _, asked = finish("Fruit or tool: pear, saw?", "classification", ("Pear: fruit", "stop"))

    assert len(asked) == 1


def test_examples_are_shown_where_they_are_asked_for() -> None:
    """As earlier turns, of the same category and form; the same for a whole round, so that a server reads them once."""
    strategy = SelfInstruct(Generate(examples=2).sampling())
    endpoint = Scripted(lambda messages, sample: ("A text.", "stop"))
    for instruction in ("What was decided?", "What was refused?"):
        asyncio.run(strategy.finish(draft(instruction, "summarization"), SHELF, endpoint))
    texts, responses = (
        [one for one in endpoint.asked if ("Write only" in asked_for(one)) == wanted] for wanted in (1, 0)
    )

    assert [len(one.messages) for one in endpoint.asked] == [5] * 4
    assert texts[0].messages[:-1] == texts[1].messages[:-1]
    assert all(one.messages[1].content.startswith("summarization text") for one in texts)
    assert all(one.messages[1].content.startswith("summarization answer") for one in responses)


def test_examples_that_were_shown_are_named() -> None:
    """A record's provenance holds every record that stood in its requests."""
    strategy = SelfInstruct(Generate(examples=2).sampling())
    endpoint = Scripted(lambda messages, sample: ("Two.", "stop"))
    made = asyncio.run(strategy.finish(draft("Give three uses.", "brainstorming"), SHELF, endpoint))

    assert isinstance(made, Draft)
    assert len(made.record.provenance.seeds) == 2
    assert set(made.record.provenance.seeds) <= {seed.id for seed in SEEDS["brainstorming"]}


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ([("They", "length")], "context_truncated"),
        ([("", "stop")], "context_empty"),
        ([("They met and chose.", "stop"), ("A ch", "length")], "response_truncated"),
        ([("They met and chose.", "stop"), (" ", "stop")], "response_empty"),
        ([("They met \ud83d.", "stop")], "broken_characters"),
    ],
)
def test_an_answer_that_is_not_whole_rejects_the_draft(answers: list[tuple[str, str]], code: str) -> None:
    """With what there is of it, and nothing more is asked."""
    made, asked = finish("What was decided?", "summarization", *answers)

    assert isinstance(made, Rejection)
    assert [reason.code for reason in made.reasons] == [code]
    assert len(asked) == len(answers)
    assert made.provenance.request == asked[-1].key


def test_no_answer_is_cut_at_a_string() -> None:
    """A stop string that a text may hold cuts it silently, with finish reason `stop`."""
    _, asked = finish("What was decided?", "summarization", ("They met.", "stop"), ("A choice.", "stop"))
    params: list[Mapping[str, float]] = [one.params for one in asked]

    assert all("stop" not in one for one in params)
