"""The chain of steps: walked back as far as the bytes prove it, and no further."""

import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from schemas.chain import walk
from schemas.manifest import digest_file
from schemas.outcome import Aside, Outcome
from schemas.step import StepDirectory, step_input, write_step
from tests.support import Given, pair


@dataclass(frozen=True, slots=True, kw_only=True)
class Same:
    """A stage that keeps everything."""

    name: str = "same"


def _given(outcomes: list[Outcome], _: Aside) -> list[Outcome]:
    return outcomes


@pytest.fixture
def run(tmp_path: Path) -> list[StepDirectory]:
    """Return three steps that follow each other, the first from a file."""
    (tmp_path / "in.txt").write_text("seed")
    origin = digest_file(tmp_path / "in.txt")
    steps = [write_step(tmp_path / "1", Given(), lambda _: [pair("a"), pair("b")], inputs=[origin])[0]]
    for name in ("2", "3"):
        outcomes: list[Outcome] = list(steps[-1].records())
        work = Same(name=f"same{name}")
        steps.append(write_step(tmp_path / name, work, partial(_given, outcomes), inputs=[step_input(steps[-1])])[0])
    return steps


def test_the_chain_leads_back_to_the_first_file(run: list[StepDirectory]) -> None:
    """Oldest first, and the file that no step wrote is its origin."""
    chain = walk(run[-1])

    assert [step.path.name for step in chain.steps] == ["1", "2", "3"]
    assert [Path(one.path).name for one in chain.origins] == ["in.txt"]
    assert chain.gap == ""


def test_a_moved_run_folder_keeps_its_chain(run: list[StepDirectory], tmp_path: Path) -> None:
    """Inputs are named relative to the step."""
    shutil.copytree(tmp_path, tmp_path.with_name("moved"))

    chain = walk(StepDirectory.open(tmp_path.with_name("moved") / "3"))

    assert len(chain.steps) == 3


def test_a_missing_step_ends_the_chain_and_is_said(run: list[StepDirectory]) -> None:
    """Nobody is told that the chain is whole."""
    shutil.rmtree(run[0].path)

    chain = walk(run[-1])

    assert [step.path.name for step in chain.steps] == ["2", "3"]
    assert chain.gap == "1, which was read, no longer stands where it stood"


def test_a_changed_step_ends_the_chain(run: list[StepDirectory]) -> None:
    """Bytes that are not those of the manifest prove nothing."""
    with (run[1].path / "rejected.jsonl").open("ab") as file:
        file.write(b"{}\n")

    chain = walk(run[-1])

    assert [step.path.name for step in chain.steps] == ["3"]
    assert chain.gap == "2 has been changed since it was written"


def test_a_step_made_again_from_other_data_ends_the_chain(run: list[StepDirectory]) -> None:
    """What was read is not what stands there now."""
    write_step(run[0].path, Given(rows=1), lambda _: [pair("c")], force=True)

    chain = walk(run[-1])

    assert [step.path.name for step in chain.steps] == ["2", "3"]
    assert chain.gap == "1 has been made again since it was read"


def test_a_step_that_names_itself_does_not_walk_for_ever(tmp_path: Path) -> None:
    """A forged manifest cannot hang a report."""
    step, _ = write_step(tmp_path / "1", Given(), lambda _: [pair()])
    manifest = tmp_path / "1" / "manifest.json"
    forged = f'"inputs": [{{"path": "records.jsonl", "bytes": 1, "sha256": "{step.records_file.sha256}"}}]'
    manifest.write_text(manifest.read_text().replace('"inputs": []', forged))

    chain = walk(StepDirectory.open(tmp_path / "1"))

    assert len(chain.steps) == 1
    assert chain.gap == "1 names itself as its input"
