"""What every stage obeys: one outcome per record, in order; known reasons; a second pass changes nothing."""

import pickle
from collections.abc import Callable
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from curation.contamination.stage import Decontaminate
from curation.dedupe.stage import Dedupe
from curation.filters.stage import Filter
from curation.filters.survey import Survey
from curation.reasons import known
from curation.review.stage import Review
from curation.score.stage import Scoring
from curation.select.control import Control
from curation.select.stage import Select
from schemas.codec import as_config, dumps, read_config
from schemas.outcome import Outcome, Rejection, Stage
from schemas.record import InstructionRecord
from schemas.tally import Tally
from tests.support import filled, records, words


def a_filter(_: Path) -> Stage:
    """The filter with its defaults."""
    return Filter()


def a_dedupe(_: Path) -> Stage:
    """Dedupe with the encoder that needs no model."""
    return Dedupe(encoder="hashing", threshold=0.8)


def a_review(folder: Path) -> Stage:
    """A review that decides about records that may or may not come in."""
    decisions = folder / "decisions.jsonl"
    line = {"instruction": "add", "context": "", "response": "add", "decision": "reject", "note": ""}
    record = InstructionRecord(instruction="add", response="add")
    decisions.write_bytes(dumps({"id": record.id, **line}) + b"\n")
    return Review(decisions=str(decisions))


def a_selection(_: Path) -> Stage:
    """A selection of five, by spelling; of a share it would keep a share again."""
    return Select(keep="5", encoder="hashing", max_cosine=0.8)


def a_control(_: Path) -> Stage:
    """The longest within a budget of tokens."""
    return Control(order="longest", budget=60)


def a_decontamination(folder: Path) -> Stage:
    """Decontamination by words, against what such records often say."""
    benchmark = folder / "exam.jsonl"
    rows = ({"prompt": "add the two numbers"}, {"prompt": "cook rice in Paris"})
    benchmark.write_bytes(b"".join(dumps(row) + b"\n" for row in rows))
    return Decontaminate(against=(str(benchmark),), threshold=0, plants=2)


STAGES: dict[str, Callable[[Path], Stage]] = {
    "filter": a_filter,
    "dedupe": a_dedupe,
    "review": a_review,
    "decontaminate": a_decontamination,
    "survey": lambda _: Survey(flag_variations=True),
    "score": lambda _: Scoring(scorers=("surface", "judge"), judge_model="solomon"),
    "select": a_selection,
    "control": a_control,
}
STREAMS = ("filter", "review")
"""Stages that hold no more than a bounded part of their input; the others compare records, and hold all of them."""

some_records = st.lists(st.one_of(records(words), records(filled)), max_size=12)


@pytest.fixture(params=STAGES, scope="module")
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """Each stage in turn."""
    made: Stage = STAGES[request.param](tmp_path_factory.mktemp("stage"))
    return made


def kept_by(outcomes: list[Outcome]) -> list[InstructionRecord]:
    """Return the records among outcomes."""
    return [outcome for outcome in outcomes if isinstance(outcome, InstructionRecord)]


def first_id(outcome: Outcome) -> str:
    """Return the id that the record had when it came in."""
    return outcome.id if isinstance(outcome, Rejection) else (*outcome.provenance.previous, outcome.id)[0]


@given(some_records)
@examples(max_examples=25, deadline=None)
def test_one_outcome_per_record_in_order(stage: Stage, some: list[InstructionRecord]) -> None:
    """What is kept and what is rejected is the input: nothing is lost, added or moved."""
    assert [first_id(outcome) for outcome in stage(some)] == [record.id for record in some]


@given(some_records)
@examples(max_examples=20, deadline=None)
def test_rejected_repaired_and_untouched_records_are_all_there_are(stage: Stage, some: list[InstructionRecord]) -> None:
    """What a step counts adds up to its input: rejected, kept with a repair, kept without."""
    tally = Tally()
    outcomes = list(stage(some))
    for outcome in outcomes:
        tally.add(outcome)

    counts = tally.counts()
    untouched = sum(not one.repairs for one in kept_by(outcomes))
    assert counts.rejected + counts.repaired + untouched == counts.rows == len(some)
    assert counts.kept == counts.repaired + untouched
    assert sum(counts.reasons.values()) >= counts.rejected
    assert all(number <= counts.rejected for number in counts.reasons.values())


@pytest.mark.parametrize("name", STREAMS)
def test_a_stage_that_streams_needs_no_end_of_its_input(name: str, tmp_path: Path) -> None:
    """Outcomes come while records are still coming in: an endless input is no obstacle."""
    endless = (InstructionRecord(instruction=f"Name {n} rivers.", response="The Rhine.") for n in count())

    outcomes = list(islice(STAGES[name](tmp_path)(endless), 3))

    assert [outcome.id for outcome in outcomes] == [
        InstructionRecord(instruction=f"Name {n} rivers.", response="The Rhine.").id for n in range(3)
    ]


@given(some_records)
@examples(max_examples=25, deadline=None)
def test_a_second_pass_changes_nothing(stage: Stage, some: list[InstructionRecord]) -> None:
    """What a stage kept, it keeps as it is."""
    once = kept_by(list(stage(some)))

    assert list(stage(once)) == once


@given(some_records)
@examples(max_examples=25, deadline=None)
def test_every_rejection_has_known_reasons_with_evidence(stage: Stage, some: list[InstructionRecord]) -> None:
    """A code that can be looked up, and what was found or which other row it is about."""
    for outcome in stage(some):
        if isinstance(outcome, Rejection):
            assert outcome.reasons
            assert all(reason.code in known() for reason in outcome.reasons)
            assert all(reason.found or reason.other or reason.code.startswith("reviewer") for reason in outcome.reasons)


@given(some_records)
@examples(max_examples=20, deadline=None)
def test_a_rejected_row_is_the_record_as_it_came_in(stage: Stage, some: list[InstructionRecord]) -> None:
    """It can be restored: its texts are those that were given, not repaired ones."""
    for record, outcome in zip(some, stage(some), strict=True):
        if isinstance(outcome, Rejection):
            assert outcome.row["instruction"] == record.instruction
            assert outcome.row["context"] == record.context
            assert outcome.row["response"] == record.response


def test_a_stage_is_its_own_configuration(stage: Stage) -> None:
    """It pickles, and its settings are plain data that make it again."""
    assert pickle.loads(pickle.dumps(stage)) == stage
    assert as_config(read_config(type(stage), {**as_config(stage), **_needed(stage)}, "here")) == as_config(stage)


def _needed(stage: Stage) -> dict[str, Any]:
    """Return the settings without a default that are no identity."""
    if isinstance(stage, Decontaminate):
        return {"against": stage.against}
    return {"decisions": stage.decisions} if isinstance(stage, Review) else {}
