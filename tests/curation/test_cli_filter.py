"""`dolly-data filter` and `dolly-data checks`."""

import json
from pathlib import Path

from click.testing import CliRunner, Result

from curation.cli.filter import checks, filter_
from curation.filters.catalogue import CHECKS
from curation.filters.stage import Filter
from schemas.codec import as_config
from schemas.step import StepDirectory
from tests.support import pair, step_of

GOOD = pair("Name a landmark in Paris.", "The Eiffel Tower is one.")
MARKED = pair("Name a bridge in Paris.", "The Pont Neuf is one.", "<noinput>")
EMPTY = pair("Name a museum in Paris.", "<nooutput>")


def run(folder: Path, *options: str) -> Result:
    """Filter a step of three records."""
    step_of(folder / "in", [GOOD, MARKED, EMPTY])
    return CliRunner().invoke(
        filter_, [str(folder / "in"), "-o", str(folder / "out"), *options], catch_exceptions=False
    )


def test_filter_writes_a_step_and_says_what_became_of_the_records(tmp_path: Path) -> None:
    """Kept, rejected and repaired are counted, each with its words."""
    said = run(tmp_path, "--plain").stdout

    step = StepDirectory.open(tmp_path / "out")
    assert (step.manifest.counts.kept, step.manifest.counts.rejected, step.manifest.counts.repaired) == (2, 1, 1)
    assert "filter: 3 rows, 2 kept, 1 rejected, 1 repaired" in said
    assert "response_placeholder" in said


def test_filter_takes_settings(tmp_path: Path) -> None:
    """What is skipped is not found, what is flagged is kept."""
    run(
        tmp_path,
        "--skip",
        "no_input_marker",
        "--flag",
        "response_placeholder",
        "--set",
        "response_too_long.max_words=4",
    )

    counts = StepDirectory.open(tmp_path / "out").manifest.counts
    assert (counts.repaired, counts.flags, counts.reasons) == (0, {"response_placeholder": 1}, {"response_too_long": 2})


def test_filter_prints_json(tmp_path: Path) -> None:
    """With --json the last line is an event with the counts."""
    event = json.loads(run(tmp_path, "--json").stdout.splitlines()[-1])

    assert event["stage"] == "filter"
    assert event["counts"]["reasons"] == {"response_placeholder": 1}


def test_the_options_defaults_are_the_stages(tmp_path: Path) -> None:
    """Nothing said on the command line is the stage with its defaults."""
    run(tmp_path)

    assert StepDirectory.open(tmp_path / "out").manifest.config == as_config(Filter())


def test_checks_lists_every_check_with_its_thresholds() -> None:
    """Each stands on a line with its action and what is wrong, its thresholds below."""
    said = CliRunner().invoke(checks, catch_exceptions=False).stdout

    assert [line.split()[0] for line in said.splitlines() if not line.startswith(" ")] == list(CHECKS)
    assert "no_input_marker            repair  The context says" in said
    assert "  allowed=en" in said


def test_checks_prints_json() -> None:
    """With --json there is an event per check."""
    said = CliRunner().invoke(checks, ["--json"], catch_exceptions=False).stdout

    assert [json.loads(line)["code"] for line in said.splitlines()] == list(CHECKS)
