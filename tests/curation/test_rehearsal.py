"""--dry-run: what a stage would do is what it does, and nothing is written."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from curation.cli import main
from curation.dedupe.stage import Dedupe
from curation.filters.stage import Filter
from curation.pipeline import rehearse, run_stage
from schemas.outcome import Stage
from tests.support import pair, step_of

RECORDS = (
    pair("Name a landmark in Paris.", "The Eiffel Tower is one."),
    pair("Name a landmark in Paris!", "The Eiffel Tower."),
    *(pair(f"Name a museum in Paris, please: number {n}.", "<nooutput>") for n in range(5)),
    pair("Name a bridge in Paris.", "The Pont Neuf is one.", "<noinput>"),
)


def run(folder: Path, *words: str) -> Result:
    """Run dolly-data over a step of the records, in a folder of its own."""
    step_of(folder / "in", RECORDS)
    return CliRunner().invoke(main, [words[0], str(folder / "in"), *words[1:]])


def files(folder: Path) -> list[Path]:
    """Return every file in a folder."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".lock"))


@pytest.mark.parametrize("stage", [Filter(), Dedupe(encoder="hashing", cache=False)], ids=lambda stage: stage.name)
def test_a_rehearsal_counts_what_the_run_counts(stage: Stage, tmp_path: Path) -> None:
    """The same counts, and up to three rows for each reason."""
    step_of(tmp_path / "in", RECORDS)

    would = rehearse(stage, tmp_path / "in")

    did = run_stage(stage, tmp_path / "in", tmp_path / "out").step
    assert would.counts == did.manifest.counts
    assert {code: min(3, number) for code, number in did.manifest.counts.reasons.items()} == {
        code: len(rows) for code, rows in would.examples.items()
    }
    assert {row for rows in would.examples.values() for row in map(repr, rows)} <= set(map(repr, did.rejections()))


def test_a_dry_run_writes_nothing_and_says_why(tmp_path: Path) -> None:
    """Even where -o is given; each reason has examples with their evidence."""
    run(tmp_path, "filter", "--dry-run")
    before = files(tmp_path)

    said = run(tmp_path, "filter", "--dry-run", "-o", str(tmp_path / "out")).stdout

    assert files(tmp_path) == before
    assert "filter (dry run): 8 rows, 3 kept, 5 rejected, 1 repaired" in said
    assert "for example response_placeholder" in said
    assert "response: <nooutput>" in said


def test_a_dry_run_prints_json(tmp_path: Path) -> None:
    """The last line is an event with the counts and the rejected rows."""
    event = json.loads(run(tmp_path, "dedupe", "--dry-run", "--json", "--encoder", "hashing").stdout.splitlines()[-1])

    assert (event["event"], event["stage"]) == ("dry-run", "dedupe")
    assert sum(event["counts"]["reasons"].values()) == event["counts"]["rejected"]
    assert event["examples"].keys() == event["counts"]["reasons"].keys()


def test_a_real_run_needs_somewhere_to_write(tmp_path: Path) -> None:
    """Without -o and without --dry-run it is a wrong use of the command."""
    done = run(tmp_path, "filter")

    assert done.exit_code == 2
    assert "--dry-run" in done.output
