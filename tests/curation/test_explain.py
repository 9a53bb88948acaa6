"""Explain: one record followed through every step, by id, by the start of an id, by its place in a file."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from curation.explain import explain, ordered_steps
from curation.pipeline import run_source, run_stage
from curation.sources import Validate
from schemas.errors import InputError
from schemas.outcome import SILENT, Aside, Outcome, Rejection, reject
from schemas.record import InstructionRecord, Reason, Repair, repaired

ROWS = (
    '{"instruction": "Name a colour.", "input": "no input", "output": "Blue."}\n'
    '{"instruction": "Name a bird.", "output": "A wren."}\n'
    '{"instruction": "Name a fish.", "output": ""}\n'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mends:
    """A stage that repairs the first record and leaves a note about it."""

    @property
    def name(self) -> str:
        """The stage's name."""
        return "mends"

    def __call__(self, records: Iterable[InstructionRecord], aside: Aside = SILENT) -> Iterator[Outcome]:
        """Empty a context that says no input."""
        for record in records:
            if record.context:
                fixed = repaired(record, Repair(code="no_input_marker", field="context", old=record.context, new=""))
                aside.leave("neighbours", {"id": fixed.id, "other": "x", "cosine": 0.5})
                yield fixed
            else:
                yield record


@dataclass(frozen=True, slots=True, kw_only=True)
class Drops:
    """A stage that rejects everything."""

    @property
    def name(self) -> str:
        """The stage's name."""
        return "drops"

    def __call__(self, records: Iterable[InstructionRecord], aside: Aside = SILENT) -> Iterator[Outcome]:
        """Reject."""
        for record in records:
            yield reject(record, Reason(code="response_too_long", field="response", found="9 words", limit="8 words"))


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Three steps: validate, mends, drops."""
    rows = tmp_path / "rows.jsonl"
    rows.write_text(ROWS)
    run_source(Validate(source=str(rows)), tmp_path / "a-last" / "in")
    run_stage(Mends(), tmp_path / "a-last" / "in", tmp_path / "a-last" / "b")
    run_stage(Drops(), tmp_path / "a-last" / "b", tmp_path / "a-last" / "a")
    return tmp_path / "a-last"


def test_steps_are_ordered_by_what_they_read(runs: Path) -> None:
    """The names of the folders do not matter."""
    assert [manifest.stage for _, manifest in ordered_steps(runs)] == ["validate", "mends", "drops"]


def test_a_repaired_record_is_followed_under_both_ids(runs: Path) -> None:
    """Its place in the file, its first id and its last lead to the same story."""
    by_place = explain("rows.jsonl:1", runs)

    assert len(by_place.ids) == 2
    assert [sight.manifest.stage for sight in by_place.sightings] == ["validate", "mends", "drops"]
    assert isinstance(by_place.sightings[-1].outcome, Rejection)
    assert by_place.sightings[1].notes[0].name == "neighbours"
    assert explain(by_place.ids[0], runs) == explain(by_place.ids[1][:8], runs) == by_place


def test_a_row_that_never_was_a_record_is_found_by_its_line(runs: Path) -> None:
    """A stranger with a broken line asks by file and line."""
    story = explain("rows.jsonl:3", runs)

    assert len(story.sightings) == 1
    outcome = story.sightings[0].outcome
    assert isinstance(outcome, Rejection)
    assert outcome.reasons[0].code == "response_empty"


@pytest.mark.parametrize(
    ("wanted", "says"),
    [("abc", "expected 4 characters of an id"), ("ffffffff", "found none"), ("rows.jsonl:99", "found none")],
)
def test_an_unknown_record_is_a_clear_error(runs: Path, wanted: str, says: str) -> None:
    """What was asked for and what would do."""
    with pytest.raises(InputError, match=says):
        explain(wanted, runs)


def test_a_folder_without_steps_is_a_clear_error(tmp_path: Path) -> None:
    """No steps, no story."""
    with pytest.raises(InputError, match="expected step directories, found none"):
        explain("abcdef", tmp_path)
