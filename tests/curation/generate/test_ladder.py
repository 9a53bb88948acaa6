"""The ladder of output forms, against the mock endpoint, servers that ignore what they are told, and a journal."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from curation.generate.contract import FORMS
from curation.generate.endpoint import Answer, Request, read_answer
from curation.generate.journal import Remembered, open_journal
from curation.generate.ladder import choose_form
from curation.generate.limiter import ExhaustedError
from curation.generate.seeds import SHIPPED, read_seeds, seeds_by_category
from curation.generate.source import Generate
from curation.generate.strategies import SelfInstruct, Shelf, Turn
from curation.mock.serve import serving
from curation.mock.service import MockEndpoint
from curation.pipeline import run_source
from schemas.errors import EndpointError, InputError
from schemas.step import StepDirectory
from tests.curation.generate.scripted import Scripted, completion, seed_file, spoken


class Keeps:
    """An endpoint that keeps some forms, and answers prose where it keeps none."""

    def __init__(self, *forms: str, error: Exception | None = None) -> None:
        self.forms, self.error, self.asked = forms, error, list[Request]()

    async def ask(self, request: Request) -> Answer:
        """Answer in the form, or as if nobody had named one."""
        self.asked.append(request)
        form = _form(request.constraint)
        if form in self.forms:
            return read_answer(completion('{"items": ["The Rhine", "The Po"]}'))
        if self.error:
            raise self.error
        return read_answer(completion("I am very well, thank you!"))


def _form(constraint: Mapping[str, object]) -> str:
    if "tools" in constraint:
        return "tool"
    return "schema" if "json_schema" in str(constraint) else "json"


@pytest.mark.parametrize(
    ("keeps", "expected"),
    [(("schema", "json", "tool"), "schema"), (("json", "tool"), "json"), (("tool",), "tool"), ((), "text")],
)
def test_the_best_form_that_is_kept_is_chosen(keeps: tuple[str, ...], expected: str) -> None:
    """A server that answers 200 and ignores the form has not kept it."""
    assert asyncio.run(choose_form(Keeps(*keeps), "m")) == expected


def test_a_form_that_breaks_the_server_is_not_kept() -> None:
    """llama-cpp-python answers 500 to a schema; one that is not there at all ends the run."""
    broken = Keeps("json", error=ExhaustedError("500, 5 times", status=500))
    gone = Keeps(error=ExhaustedError("no connection, 5 times", status=0))

    assert asyncio.run(choose_form(broken, "m")) == "json"
    with pytest.raises(EndpointError, match="no connection"):
        asyncio.run(choose_form(gone, "m"))


def test_a_resumed_run_does_not_probe_again(tmp_path: Path) -> None:
    """The probes stand in the journal like any request."""
    endpoint = Keeps("json")
    for _ in range(2):
        with open_journal(tmp_path) as journal:
            chosen = asyncio.run(choose_form(Remembered(endpoint, journal), "m"))

    assert chosen == "json"
    assert len(endpoint.asked) == 2


def test_a_run_records_what_it_chose(tmp_path: Path) -> None:
    """In the step: each form that was tried, whether it was kept, and what came."""
    with serving(MockEndpoint()) as running:
        made = Generate(n=5, model="mock", base_url=running.address, seeds=str(seed_file(tmp_path)), round_size=2)
        step = run_source(made, tmp_path / "1").step
    tried = list(step.rows("output_forms"))

    assert [(row["form"], row["kept"]) for row in tried] == [("schema", True)]
    assert step.manifest.counts.kept == 5


@pytest.mark.parametrize("form", sorted(set(FORMS) - {"text"}))
def test_every_form_makes_records(tmp_path: Path, form: str) -> None:
    """The mock endpoint keeps each of them but the marks, of which the next test is."""
    with serving(MockEndpoint()) as running:
        address = running.address
        settings = Generate(n=4, model="mock", base_url=address, seeds=str(seed_file(tmp_path)), output_form=form)
        run_source(settings, tmp_path / "1")

    assert StepDirectory.open(tmp_path / "1").manifest.counts.kept == 4


def test_marked_text_is_what_the_prompt_asks_for() -> None:
    """A model that copies the form it was shown is read."""
    strategy = SelfInstruct(Generate().sampling("text"))
    shelf = Shelf(seeds=seeds_by_category(read_seeds(SHIPPED)))
    one, other = (strategy.propose(Turn(round=0, ordinal=at, number=at, category="open_qa"), shelf) for at in range(2))
    assert one.request
    shown = one.request.messages[2].content
    drafts = strategy.read(one, read_answer(completion(shown)))

    assert one.wanted is not None
    assert other.wanted is not None
    assert len(drafts) == 4
    assert one.wanted.mark != other.wanted.mark
    assert all(one.wanted.mark in message.content for message in one.request.messages if message.role != "user")


def test_a_form_that_is_none() -> None:
    """It is named, with those that are."""
    with pytest.raises(InputError, match=r"output_form: expected one of auto, schema, .*, found xml"):
        Generate(output_form="xml")


def test_the_list_form_asks_as_ever(tmp_path: Path) -> None:
    """A journal of an earlier version answers the same questions."""
    endpoint = Scripted(spoken)
    seeds = seeds_by_category(read_seeds(seed_file(tmp_path)))
    turn = Turn(round=0, ordinal=0, number=0, category="brainstorming")
    request = SelfInstruct(Generate().sampling()).propose(turn, Shelf(seeds=seeds)).request
    assert request
    asyncio.run(endpoint.ask(request))

    assert json.dumps(request.plain(), sort_keys=True).count("constraint") == 0
    assert request.key == "308fc46895d2d956f6cc236b0f8dd640cccc92f680614fd7f8a9308700a3564a"
