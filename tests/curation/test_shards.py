"""What reads a step directory reads one that is cut into parts, and does the same with it."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from curation.cli import main
from curation.engine import Engine
from curation.explain import explain
from curation.filters.stage import Filter
from curation.pipeline import run_source, run_stage
from curation.release.build import Release, release
from curation.restore.source import Restore
from curation.score.stage import Scoring
from curation.select.stage import Select
from curation.sources import Validate
from schemas.chain import walk
from schemas.outcome import Stage
from schemas.step import StepDirectory
from tests.curation.test_engine import MANY
from tests.support import step_of
from training.records.data import open_data

CUT = Engine(workers=1, chunk=4, shard=7)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """The same steps in one piece and in parts, in folders of the same name."""
    for name, engine in (("whole", Engine(workers=1)), ("parts", CUT)):
        folder = tmp_path / name / "runs"
        step_of(folder / "1-in", MANY)
        run_stage(Filter(), folder / "1-in", folder / "2-filter", engine=engine)
        run_stage(Scoring(), folder / "2-filter", folder / "3-score", engine=engine)
    return tmp_path


def both(runs: Path, name: str = "3-score") -> tuple[StepDirectory, StepDirectory]:
    """Return a step in one piece and the same in parts."""
    return StepDirectory.open(runs / "whole" / "runs" / name), StepDirectory.open(runs / "parts" / "runs" / name)


def test_steps_of_parts_are_the_same_steps(runs: Path) -> None:
    """Digests, counts and fingerprints are equal, and the way back through the chain holds."""
    whole, parts = both(runs)

    assert parts.manifest.parts.keys() == {"records.jsonl", "rejected.jsonl", "scores.jsonl"}
    assert parts.manifest.outputs == whole.manifest.outputs
    assert parts.manifest.counts == whole.manifest.counts
    assert parts.manifest.fingerprint == whole.manifest.fingerprint
    assert [one.manifest.stage for one in walk(parts).steps] == ["given", "filter", "score"]
    assert not walk(parts).gap


@pytest.mark.parametrize("stage", [Filter(), Select(keep="20", encoder="hashing", by="response_words")])
def test_a_stage_does_the_same_with_parts(stage: Stage, runs: Path) -> None:
    """A local command reads them, scores among them, and its own output is in one piece again."""
    whole, parts = (run_stage(stage, step.path, step.path.parent / "4").step for step in both(runs))

    assert parts.manifest.outputs == whole.manifest.outputs
    assert parts.manifest.fingerprint == whole.manifest.fingerprint
    assert parts.manifest.parts == {}


def test_a_release_of_parts_has_the_same_rows(runs: Path) -> None:
    """Its Parquet files are equal, byte for byte."""
    rows = []
    for step in both(runs):
        manifest, _ = release(step, step.path.parent / "release", Release(license="cc0-1.0"))
        rows.append({one.path: one.sha256 for one in manifest.outputs if one.path.endswith(".parquet")})

    assert rows[0] == rows[1] != {}


def test_a_record_is_explained_from_parts(runs: Path) -> None:
    """Every step's verdict on a rejected row and on a kept record, and what was left aside about it."""
    for wanted in (MANY[0].id, MANY[58].id):
        whole, parts = (explain(wanted, step.path.parent) for step in both(runs))

        assert [(one.manifest.stage, one.outcome, one.notes) for one in parts.sightings] == [
            (one.manifest.stage, one.outcome, one.notes) for one in whole.sightings
        ]
        assert len(parts.sightings) > 1


def test_rejected_rows_are_restored_from_parts(runs: Path) -> None:
    """All of them come back, from every part."""
    step = both(runs, "2-filter")[1]
    source = Restore(step=str(step.path), reasons=tuple(step.manifest.counts.reasons), by="ann", note="fine")

    restored = run_source(source, runs / "restored").step

    assert restored.manifest.counts.kept == len(MANY)


def test_parts_are_trained_on(runs: Path) -> None:
    """`dolly-train` reads the same records, and names the same bytes."""
    whole, parts = (open_data(step.path) for step in both(runs))

    assert parts.records == whole.records
    assert [one.sha256 for one in parts.files] == [one.sha256 for one in whole.files]


def test_parts_are_rows_to_validate(runs: Path) -> None:
    """A step of parts is a source like any other: its kept records, in order."""
    whole, parts = (run_source(Validate(source=str(step.path)), step.path.parent / "again").step for step in both(runs))

    assert [record.id for record in parts.records()] == [record.id for record in whole.records()]


def test_reports_and_reviews_read_parts(runs: Path) -> None:
    """Both commands end well."""
    step, runner = str(both(runs)[1].path), CliRunner()

    report = runner.invoke(main, ["report", step, "-o", str(runs / "page.html")])
    sample = runner.invoke(main, ["review", "sample", step, "-n", "5", "-o", str(runs / "sample.jsonl")])

    assert (report.exit_code, sample.exit_code) == (0, 0), report.output + sample.output
    assert len((runs / "sample.jsonl").read_bytes().splitlines()) >= 5


def test_the_command_line_cuts(runs: Path) -> None:
    """--shard-rows, with what the step says of itself unchanged."""
    step = str(both(runs, "1-in")[0].path)

    done = CliRunner().invoke(main, ["filter", step, "-o", str(runs / "cut"), "--shard-rows", "25"])

    assert done.exit_code == 0, done.output
    names = sorted(path.name for path in (runs / "cut").glob("records*"))
    assert names == ["records-00001.jsonl", "records-00002.jsonl", "records-00003.jsonl"]
