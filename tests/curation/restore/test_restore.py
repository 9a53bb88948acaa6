"""Rejected rows put back: as they were, with a note, and nothing else changed."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.cli import main
from curation.cli.story import story_text
from curation.dedupe.stage import Dedupe
from curation.explain import explain
from curation.filters.stage import Filter
from curation.pipeline import run_source, run_stage
from curation.report.collect import collect
from curation.restore.source import NOT_RESTORABLE, Restore
from curation.sources import Validate
from schemas.errors import InputError
from schemas.outcome import Outcome, Rejection, reject
from schemas.record import InstructionRecord, Reason, Restored
from schemas.step import StepDirectory
from tests.support import ROOT, pair, records, step_of, words

ROWS = str(ROOT / "docs" / "example" / "rows.jsonl")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example rows, validated, filtered and deduped."""
    folder = tmp_path_factory.mktemp("runs")
    run_source(Validate(source=ROWS), folder / "1-validate")
    run_stage(Filter(), folder / "1-validate", folder / "2-filter")
    run_stage(Dedupe(encoder="hashing", threshold=0.7, cache=False), folder / "2-filter", folder / "3-dedupe")
    return folder


def restored(step: StepDirectory) -> list[InstructionRecord]:
    """Return the records that were put back."""
    return [record for record in step.records() if record.provenance.restored]


def test_rows_rejected_for_a_reason_come_back_behind_the_kept_ones(runs: Path, tmp_path: Path) -> None:
    """As they were, and with who put them back and why."""
    before = StepDirectory.open(runs / "3-dedupe")
    work = Restore(step=str(runs / "3-dedupe"), reasons=("duplicate_near",), by="Ann", note="other answers")

    step = run_source(work, tmp_path / "out").step

    rejected = [one for one in before.rejections() if one.reasons[0].code == "duplicate_near"]
    assert rejected
    assert list(step.records())[: -len(rejected)] == list(before.records())
    assert [one.id for one in restored(step)] == [one.id for one in rejected]
    note = Restored(step="3-dedupe", codes=("duplicate_near",), by="Ann", note="other answers")
    assert {one.provenance.restored for one in restored(step)} == {(note,)}


def test_rows_of_all_earlier_steps_come_back_with_chain(runs: Path, tmp_path: Path) -> None:
    """What the filter rejected is found from the step after it, and only then."""
    reasons = ("response_truncated", "duplicate_near")

    step = run_source(Restore(step=str(runs / "3-dedupe"), reasons=reasons, chain=True), tmp_path / "out").step

    assert {one.provenance.restored[0].step for one in restored(step)} == {"2-filter", "3-dedupe"}
    with pytest.raises(InputError, match=r"expected .*duplicate_near.*, found response_truncated"):
        run_source(Restore(step=str(runs / "3-dedupe"), reasons=reasons), tmp_path / "no")
    assert not (tmp_path / "no").exists()


def test_one_row_comes_back_by_its_id(runs: Path, tmp_path: Path) -> None:
    """The beginning of an id is enough; with a reason, both must fit."""
    one, *others = StepDirectory.open(runs / "2-filter").rejections()

    step = run_source(Restore(step=str(runs / "2-filter"), ids=(one.id[:8],)), tmp_path / "out").step

    assert others
    assert [record.id for record in restored(step)] == [one.id]
    with pytest.raises(InputError, match="expected the id of a rejected row, found"):
        run_source(
            Restore(step=str(runs / "2-filter"), ids=(one.id,), reasons=(others[-1].reasons[0].code,)), tmp_path / "no"
        )


def test_a_row_that_never_was_a_record_stays_rejected_and_says_why(runs: Path, tmp_path: Path) -> None:
    """It is neither lost nor made up."""
    work = Restore(step=str(runs / "1-validate"), reasons=("row_not_json", "field_not_text"))

    step = run_source(work, tmp_path / "out").step

    codes = [[reason.code for reason in one.reasons] for one in step.rejections()]
    assert codes == [["row_not_json", NOT_RESTORABLE], ["field_not_text", NOT_RESTORABLE]]
    assert not restored(step)


def test_nothing_comes_back_unasked() -> None:
    """Neither a reason nor an id is a mistake; so is an id that could mean any row."""
    with pytest.raises(InputError, match="a reason or an id"):
        Restore(step="x")
    with pytest.raises(InputError, match="4 characters of an id, found 5f"):
        Restore(step="x", ids=("5f",))


def test_explain_tells_who_put_a_record_back(runs: Path, tmp_path: Path) -> None:
    """After the step that rejected it, and once."""
    one = next(StepDirectory.open(runs / "3-dedupe").rejections())
    run_source(Restore(step=str(runs / "3-dedupe"), ids=(one.id,), by="Ann", note="was right"), runs / "4-restore")

    told = story_text(explain(one.id, runs))

    assert told.count("put back by Ann after 3-dedupe had rejected it for") == 1
    assert told.index("dedupe rejected it") < told.index("restore kept it") < told.index("was right")


def test_a_report_counts_what_was_put_back_as_kept(runs: Path, tmp_path: Path) -> None:
    """Rows in = kept + rejected, also where a rejection was taken back."""
    work = Restore(step=str(runs / "3-dedupe"), reasons=("duplicate_near",))

    report = collect(run_source(work, tmp_path / "out").step)

    assert report.rows == report.kept + report.rejected == 28


def test_a_restored_step_is_read_by_the_next_stage(runs: Path, tmp_path: Path) -> None:
    """It goes on as any step does, and the note goes with the record."""
    run_source(Restore(step=str(runs / "2-filter"), reasons=("response_truncated",)), tmp_path / "back")

    step = run_stage(Dedupe(encoder="hashing", cache=False), tmp_path / "back", tmp_path / "out").step

    assert len(restored(step)) == 1


def test_the_command_says_how_many_rows_and_from_where(runs: Path, tmp_path: Path) -> None:
    """In words, and with --json as counts."""
    words = ["restore", str(runs / "3-dedupe"), "--chain", "--reason", "response_truncated", "-o"]

    said = CliRunner().invoke(main, [*words, str(tmp_path / "a")]).stdout
    event = json.loads(CliRunner().invoke(main, [*words, str(tmp_path / "b"), "--json"]).stdout)

    assert said.startswith("put back 1 row: 1 rejected by 2-filter\nrestore: ")
    assert event["counts"]["kept"] == StepDirectory.open(runs / "3-dedupe").manifest.counts.kept + 1


outcomes = st.lists(
    st.one_of(
        records(words),
        records(words).map(lambda one: reject(one, Reason(code="response_empty", found="x"))),
        records(words).map(lambda one: reject(one, Reason(code="merged_tasks", found="x"))),
        st.just(Rejection(row={"raw": "?"}, reasons=(Reason(code="merged_tasks", found="x"),))),
    ),
    max_size=8,
)


@given(some=outcomes)
@settings(max_examples=25, deadline=None)
def test_kept_and_put_back_and_still_rejected_are_what_was_asked_about(
    some: list[Outcome], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The law of every step: one outcome per row that came in, in order, texts and all."""
    some = [*some, reject(pair(), Reason(code="merged_tasks", found="x"))]
    folder = tmp_path_factory.mktemp("law")
    step_of(folder / "in", some)

    made = list(Restore(step=str(folder / "in"), reasons=("merged_tasks",))())

    kept = [one for one in some if isinstance(one, InstructionRecord)]
    meant = [one for one in some if isinstance(one, Rejection) and one.reasons[0].code == "merged_tasks"]
    assert [one.id for one in made] == [one.id for one in kept] + [one.id for one in meant]
    assert [isinstance(one, Rejection) for one in made[len(kept) :]] == ["raw" in one.row for one in meant]
