"""Every strategy: the same bytes at any concurrency, records that say where they came from; and each one's own ways."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from curation.generate.endpoint import Request, read_answer
from curation.generate.passages import spans
from curation.generate.rounds import Rounds
from curation.generate.seeds import read_seeds, seeds_by_category
from curation.generate.source import Generate
from curation.generate.strategies import STRATEGIES, Draft, Material, Sampling, Shelf, Strategy, Turn
from curation.generate.strategies.evol import WAYS, failure
from curation.generate.strategies.instance import Instance
from schemas.errors import InputError
from schemas.outcome import Outcome, Rejection
from schemas.record import InstructionRecord, Provenance
from tests.curation.generate.scripted import Scripted, completion, seed_file, spoken
from tests.curation.generate.test_passages import passage_of
from tests.curation.generate.test_rounds import GOAL, Noting, bytes_of, outcomes_of, plan_of
from tests.support import pair

TEXT = "The ferry Tarn crosses the lake in 18 minutes. " * 12
OLD = tuple(
    pair(f"Name {at} rivers of the {at}th continent.", "None.", provenance=Provenance(model="gpt-4"))
    for at in range(30)
)
MATERIAL = Material(
    topics=("tea", "tides", "trams"),
    personas=("a baker {0}", "a judge"),
    passages=(passage_of(TEXT),),
    records=OLD,
    raw_prompt="<|im_start|>user\n",
)
SAMPLING = Generate().sampling()


def strategy_of(name: str, sampling: Sampling = SAMPLING) -> Strategy:
    """Return a strategy."""
    return STRATEGIES[name](sampling, MATERIAL)


def shelf_of(folder: Path) -> Shelf:
    """Return a shelf with small seeds."""
    return Shelf(seeds=seeds_by_category(read_seeds(seed_file(folder))))


def turn(number: int = 0, category: str = "open_qa") -> Turn:
    """Return a turn of the first round."""
    return Turn(round=0, ordinal=number, number=number, category=category)


def run(folder: Path, strategy: str, concurrency: int, aside: Noting, **settings: object) -> list[Outcome]:
    """Run a strategy against the scripted endpoint."""
    plan = plan_of(strategy, MATERIAL, **settings)
    goal = replace(GOAL, n=16, concurrency=concurrency, min_yield=0.0)
    return outcomes_of(Rounds(plan, Scripted(wait_s=0.003), shelf_of(folder).seeds, goal, aside=aside))


def kept_of(outcomes: list[Outcome]) -> list[InstructionRecord]:
    """Return the records."""
    return [one for one in outcomes if isinstance(one, InstructionRecord)]


def last(request: Request | None) -> str:
    """Return the last turn of a request."""
    assert request
    return request.messages[-1].content


MIX = "self-instruct:3,evol:2,topic:1,docs:1,alpaca:1,magpie:1,answer:1"


@pytest.mark.parametrize("name", [*STRATEGIES, MIX])
def test_the_same_answers_give_the_same_bytes_at_any_concurrency(tmp_path: Path, name: str) -> None:
    """One request at a time or 256: records, rejections and what is left aside are equal, whatever the strategy."""
    runs = []
    for concurrency in (1, 16, 256):
        aside = Noting()
        runs.append((bytes_of(run(tmp_path, name, concurrency, aside)), aside.rows))

    assert runs[0] == runs[1] == runs[2]
    assert runs[0][0]


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_record_names_strategy_model_request_and_terms(tmp_path: Path, name: str) -> None:
    """And everything that was shown for it."""
    aside = Noting()
    endpoint_rows = {str(row["id"]): row for which, row in aside.rows if which == "requests"}
    records = kept_of(run(tmp_path, name, 8, aside))
    endpoint_rows = {str(row["id"]): row for which, row in aside.rows if which == "requests"}

    assert records
    for record in records:
        assert record.provenance.strategy == name
        assert record.provenance.model == "scripted"
        assert record.provenance.request in endpoint_rows[record.id].values()
        assert record.provenance.terms == ("no-compete" if name == "answer" else "unknown")


def test_a_mix_shares_the_requests(tmp_path: Path) -> None:
    """Each strategy has its share of the proposals, evenly spread."""
    plan = plan_of("self-instruct:60,evol:30,topic:10", MATERIAL)
    names = {id(strategy): name for name, strategy in plan.strategies.items()}
    shelf = shelf_of(tmp_path)
    turns = [names[id(one)] for number in range(5) for one, _ in plan.turns(replace(shelf, round=number))]

    assert [turns.count(name) for name in plan.strategies] == [18, 9, 3]
    assert "evol" in turns[:3]


def test_another_model_answers(tmp_path: Path) -> None:
    """Requests for responses name the other model, requests for instructions and contexts do not."""
    sampling = replace(SAMPLING, answer_model="strong")
    endpoint = Scripted(lambda messages, sample: ("A text that is long enough.", "stop"))
    draft = Draft(record=pair("What was decided?", "", category="closed_qa"))
    asyncio.run(Instance(sampling).finish(draft, shelf_of(tmp_path), endpoint))

    assert [one.model for one in endpoint.asked] == [sampling.model, "strong"]


@pytest.mark.parametrize(("said", "first"), [("Yes.", "response"), ("No", "context")])
def test_a_model_is_asked_whether_a_task_is_a_classification(tmp_path: Path, said: str, first: str) -> None:
    """Where neither category nor seeds say it, as in the paper; the answer decides what is written first."""
    replies = [(said, "stop"), ("Rather kind than not.", "stop"), ("They were all of them kind to us.", "stop")]
    endpoint = Scripted(lambda messages, sample: replies.pop(0))
    draft = Draft(record=pair("Is the following review kind?", "", category="own"))
    made = asyncio.run(Instance(SAMPLING).finish(draft, shelf_of(tmp_path), endpoint))

    assert isinstance(made, Draft)
    assert list(made.requests) == ["is_classification", first, {"response": "context", "context": "response"}[first]]
    assert last(endpoint.asked[0]).endswith("Is the following review kind?")
    assert endpoint.asked[0].params["temperature"] == 0


def test_alpaca_asks_for_whole_items_after_three(tmp_path: Path) -> None:
    """Three finished seeds, sixteen more in one answer, and no stop string that a text may hold."""
    strategy = strategy_of("alpaca", replace(SAMPLING, per_request=16))
    proposal = strategy.propose(turn(), shelf_of(tmp_path))
    assert proposal
    assert proposal.request
    assert proposal.wanted

    shown = proposal.request.messages[2].content
    assert len(proposal.examples) == 3
    assert all(one.instruction in shown and one.response in shown for one in proposal.examples)
    assert last(proposal.request).startswith("Write 16 new ")
    assert "stop" not in proposal.request.params
    drafts = strategy.read(proposal, read_answer(completion(shown)))
    assert [one.record.response for one in drafts if isinstance(one, Draft)] == [
        one.response for one in proposal.examples
    ]


def test_alpaca_leaves_the_response_to_another_model(tmp_path: Path) -> None:
    """Where there is one, items have none."""
    proposal = strategy_of("alpaca", replace(SAMPLING, answer_model="strong")).propose(turn(), shelf_of(tmp_path))

    assert proposal
    assert proposal.wanted
    assert proposal.wanted.fields == ("instruction", "context")


def test_evolutions_take_turns_and_show_their_parent(tmp_path: Path) -> None:
    """One way after another, each of a seed or a made record, whose text goes along where the task stays with it."""
    strategy, shelf = strategy_of("evol"), shelf_of(tmp_path)
    proposals = [strategy.propose(turn(at, "closed_qa"), shelf) for at in range(len(WAYS))]

    for proposal, way in zip(proposals, WAYS.values(), strict=True):
        assert proposal
        (parent,) = proposal.examples
        assert way.words in last(proposal.request)
        assert parent.instruction in last(proposal.request)
        assert proposal.blank.context == ("" if way.broad else parent.context)
        assert proposal.blank.provenance.seeds == (parent.id,)


def test_a_label_before_an_evolved_task_is_no_part_of_it(tmp_path: Path) -> None:
    """A small model goes on as the request was written."""
    strategy = strategy_of("evol")
    proposal = strategy.propose(turn(), shelf_of(tmp_path))
    assert proposal
    (drafted,) = strategy.read(proposal, read_answer(completion("Task: weigh three kettles of cold brass.")))

    assert isinstance(drafted, Draft)
    assert drafted.record.instruction == "weigh three kettles of cold brass."


@pytest.mark.parametrize(
    ("instruction", "code"),
    [
        ("Here is the rewritten task: name a long river.", "evolution_copies_prompt"),
        ("Name a river.", "evolution_no_gain"),
        ("Name a big river please.", "evolution_no_gain"),
        ("Name a river that crosses three borders.", ""),
    ],
)
def test_an_evolution_that_failed_is_eliminated(instruction: str, code: str) -> None:
    """It speaks of the rewriting, or says nothing new."""
    reason = failure(pair(instruction), pair("Name a river."))

    assert (reason.code if reason else "") == code


@pytest.mark.parametrize("answer", ["I am sorry, that is too hard for me.", "... !"])
def test_an_evolution_without_an_answer_is_eliminated(tmp_path: Path, answer: str) -> None:
    """The model says sorry, or nothing."""
    endpoint = Scripted(lambda messages, sample: (answer, "stop"))
    made = asyncio.run(strategy_of("evol").finish(Draft(record=pair(response="")), shelf_of(tmp_path), endpoint))

    assert isinstance(made, Rejection)
    assert made.reasons[0].code == "evolution_unanswerable"


def test_every_cell_of_topics_and_forms_is_visited_once(tmp_path: Path) -> None:
    """Before one comes again; topic and form stand in the request."""
    strategy = strategy_of("topic")
    asked = [last(proposal.request) for at in range(9) if (proposal := strategy.propose(turn(at), shelf_of(tmp_path)))]

    assert len(set(asked)) == 9
    assert all(sum(f"about {topic}." in one for one in asked) == 3 for topic in MATERIAL.topics)
    assert sum("Ask questions." in one for one in asked) == 3


def test_people_take_turns(tmp_path: Path) -> None:
    """Who it is stands in the request and with the record, as it was written; what is short is asked for besides."""
    strategy = strategy_of("persona")
    proposals = [strategy.propose(turn(at), shelf_of(tmp_path)) for at in range(3)]
    (draft,) = (
        strategy.read(proposals[0], read_answer(completion("1. How long does dough keep?"))) if proposals[0] else []
    )

    asked = [last(proposal.request) for proposal in proposals if proposal]
    assert all(one.startswith("Write 4 new questions of general knowledge. Each is one that") for one in asked)
    assert [one.partition("The person: ")[2] for one in asked] == ["a baker {0}.", "a judge.", "a baker {0}."]
    assert isinstance(draft, Draft)
    assert draft.record.extra == {"persona": "a baker {0}"}
    assert draft.record.provenance.strategy == "persona"


def test_a_document_is_context_and_its_place_is_kept(tmp_path: Path) -> None:
    """The passage is the record's context, and where it stands goes with it; an unsupported answer is rejected."""

    def about(messages: list[Mapping[str, str]], sample: str) -> tuple[str, str]:
        last = messages[-1]["content"]
        if " new " in last.rpartition("\n")[2]:
            return "1. Who steers the Tarn at night, and how?\n2. How long does the ferry take?", "stop"
        return ("It takes 18 minutes." if "How long" in last else "Maria does, with 99 lamps."), "stop"

    goal = replace(GOAL, n=1, min_yield=0.0)
    rejected, record = outcomes_of(Rounds(plan_of("docs", MATERIAL), Scripted(about), shelf_of(tmp_path).seeds, goal))

    assert isinstance(rejected, Rejection)
    assert [(one.code, one.found) for one in rejected.reasons] == [("response_unsupported", "99")]
    assert isinstance(record, InstructionRecord)
    assert record.context == MATERIAL.passages[0].text
    assert record.extra["passage"] == MATERIAL.passages[0].place()
    assert record.category == "closed_qa"


def test_magpie_shows_nothing_but_the_place(tmp_path: Path) -> None:
    """A raw prompt, no message; the whole answer is the instruction."""
    strategy = strategy_of("magpie")
    proposal = strategy.propose(turn(), shelf_of(tmp_path))
    assert proposal
    assert proposal.request
    (draft,) = strategy.read(proposal, read_answer(completion(" Tell me\nabout tea. ")))
    (cut,) = strategy.read(proposal, read_answer(completion("Tell me", finish="length")))

    assert (proposal.request.prompt, proposal.request.messages) == ("<|im_start|>user\n", ())
    assert isinstance(draft, Draft)
    assert draft.record.instruction == "Tell me\nabout tea."
    assert isinstance(cut, Rejection)
    assert cut.reasons[0].code == "instruction_truncated"


def test_old_records_are_answered_anew_until_none_is_left(tmp_path: Path) -> None:
    """Each once, the old record named as the former one; then the run is over, however many were asked for."""
    goal = replace(GOAL, n=100, min_yield=0.0)
    endpoint = Scripted(lambda messages, sample: (f"About {len(messages[-1]['content'])} of them.", "stop"))
    outcomes = outcomes_of(Rounds(plan_of("answer", MATERIAL), endpoint, shelf_of(tmp_path).seeds, goal))

    assert len(outcomes) == len(OLD) == len(endpoint.asked)
    for old, new in zip(OLD, kept_of(outcomes), strict=True):
        assert (new.instruction, new.context, new.category) == (old.instruction, old.context, old.category)
        assert new.provenance.previous == (old.id,)
        assert new.response != old.response


@pytest.mark.parametrize(
    ("name", "field"),
    [("topic", "topics"), ("persona", "personas"), ("docs", "docs"), ("answer", "records"), ("magpie", "raw_prompt")],
)
def test_a_strategy_refuses_to_be_made_without_its_material(name: str, field: str) -> None:
    """It says what it needs."""
    with pytest.raises(InputError, match=f"generate: {field}: expected"):
        STRATEGIES[name](SAMPLING, Material())


def test_the_scripted_model_says_everything_that_strategies_ask_for() -> None:
    """A check of this file's own endpoint: it writes whole items where they are asked for."""
    assert "<k123456789 end>" in spoken([{"role": "system", "content": "<k123456789 instruction>"}])[0]
    assert spans(TEXT)
