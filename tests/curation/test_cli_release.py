"""report, release and review as commands: what they print, write and refuse."""

import json
from dataclasses import fields
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from curation.cli.release import build, release
from curation.cli.report import report
from curation.cli.review import review, sample
from curation.release.build import Release
from curation.report.collect import Look
from curation.review.sample import Draw
from schemas.errors import InputError
from schemas.outcome import Outcome, reject
from schemas.record import Reason
from schemas.step import StepDirectory
from tests.support import pair, step_of


@pytest.fixture
def step(tmp_path: Path) -> Path:
    """Return a step of three records and a rejection."""
    rows: list[Outcome] = [
        *(pair(f"Name colour {n}.", f"Blue {n}.") for n in range(3)),
        reject(pair("x"), Reason(code="too_short")),
    ]
    return step_of(tmp_path / "1-given", rows).path


def run(command: click.Command, *words: object) -> Result:
    """Run a command; an error that is not for the command line is raised."""
    return CliRunner().invoke(command, [str(word) for word in words], catch_exceptions=False)


def test_report_writes_the_page_and_says_the_counts(step: Path, tmp_path: Path) -> None:
    """And the numbers beside it."""
    done = run(report, step, "-o", tmp_path / "r.html")

    assert done.output == f"4 rows, 3 kept, 1 rejected in 1 step\nwrote {tmp_path / 'r.html'}\n"
    assert json.loads((tmp_path / "r.json").read_bytes())["kept"] == 3


def test_report_of_a_foreign_file_says_what_to_do(tmp_path: Path) -> None:
    """Not a traceback."""
    (tmp_path / "rows.jsonl").write_text("{}")

    with pytest.raises(InputError, match="dolly-data validate"):
        run(report, tmp_path / "rows.jsonl")


def test_release_writes_a_folder_once(step: Path, tmp_path: Path) -> None:
    """And says so when it stands already."""
    first = run(release, step, "-o", tmp_path / "rel", "--title", "Colours", "--license", "cc-by-4.0")
    second = run(release, step, "-o", tmp_path / "rel", "--title", "Colours", "--license", "cc-by-4.0", "--json")

    assert first.stdout.splitlines()[0] == "release 1.0.0: 3 records, 12 files"
    assert first.stdout.splitlines()[-1] == f"wrote {tmp_path / 'rel'}"
    event = json.loads(second.stdout)
    assert (event["reused"], event["rows"]) == (True, 3)
    assert (event["config"]["title"], event["config"]["license"]) == ("Colours", "cc-by-4.0")
    assert (event["version"], event["gate"]) == ("1.0.0", "none")


def test_a_review_from_sample_to_step(step: Path, tmp_path: Path) -> None:
    """Draw, decide, apply."""
    drawn = run(review, "sample", step, "-n", 2, "-o", tmp_path / "s.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "s.jsonl").read_text().splitlines()]
    lines[0]["decision"] = "reject"
    (tmp_path / "s.jsonl").write_text("\n".join(map(json.dumps, lines)))
    done = run(review, "apply", step, tmp_path / "s.jsonl", "-o", tmp_path / "2-review")

    assert drawn.output == f"drew 2 of 3 kept rows\nwrote {tmp_path / 's.jsonl'}\n"
    assert done.stdout.splitlines()[:2] == [
        "2 sampled: 0 accepted, 1 rejected, 0 edited, 1 undecided, 0 stale",
        "review: 3 rows, 2 kept, 1 rejected",
    ]
    assert StepDirectory.open(tmp_path / "2-review").manifest.counts.kept == 2


def test_a_sample_is_not_overwritten(step: Path, tmp_path: Path) -> None:
    """It may hold decisions."""
    run(sample, step, "-o", tmp_path / "s.jsonl")

    with pytest.raises(InputError, match="may hold decisions"):
        run(sample, step, "-o", tmp_path / "s.jsonl")


@pytest.mark.parametrize(
    ("command", "shape", "names"),
    [
        (report, Look, {}),
        (sample, Draw, {}),
        (build, Release, {"licence": "license"}),
    ],
)
def test_defaults_live_in_the_dataclass(command: click.Command, shape: type, names: dict[str, str]) -> None:
    """Every option that is a setting has the setting's default."""
    known = {field.name: field.default for field in fields(shape)}
    context = click.Context(command)
    options = {option.name: option.get_default(context) for option in command.params}

    shared = {names.get(name, name): default for name, default in options.items() if names.get(name, name) in known}
    assert shared
    assert shared == {name: known[name] for name in shared}
