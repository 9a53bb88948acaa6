"""Step directories: complete or absent, verified, reused, locked."""

import errno
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import DollyError, InputError
from schemas.manifest import fingerprint
from schemas.outcome import Aside, Outcome, reject
from schemas.record import InstructionRecord, Reason
from schemas.step import StepDirectory, write_step
from tests.support import Given, pair, records, step_of

EMPTY = Reason(code="response_empty", field="response")


@given(st.lists(st.tuples(records(), st.booleans())))
@settings(max_examples=25)
def test_kept_and_rejected_are_the_input(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[InstructionRecord, bool]]
) -> None:
    """Every outcome stands in exactly one file, in order, and the counts say so."""
    outcomes: list[Outcome] = [record if kept else reject(record, EMPTY) for record, kept in rows]

    step = step_of(tmp_path_factory.mktemp("step") / "a", outcomes)

    assert list(step.records()) == [record for record, kept in rows if kept]
    assert [rejection.id for rejection in step.rejections()] == [record.id for record, kept in rows if not kept]
    assert step.manifest.counts.rows == len(rows)


@given(st.data())
@settings(max_examples=40)
def test_any_changed_byte_is_found(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """A manifest that verifies means unchanged bytes."""
    step = step_of(tmp_path_factory.mktemp("step") / "a", [pair(), reject(pair("b"), EMPTY)])
    file = step.path / data.draw(st.sampled_from([one.path for one in step.manifest.outputs]))
    content = bytearray(file.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    file.write_bytes(content)

    with pytest.raises(InputError, match=file.name):
        StepDirectory.open(step.path)


def test_a_missing_file_is_found(tmp_path: Path) -> None:
    """A step without its records is not a step."""
    step = step_of(tmp_path / "a", [pair()])
    (step.path / "rejected.jsonl").unlink()

    with pytest.raises(InputError, match=r"rejected\.jsonl: missing"):
        StepDirectory.open(step.path)


def test_a_stage_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """A crash in the middle leaves no directory that looks finished, and a rerun succeeds."""

    def fails(_: Aside) -> Iterator[Outcome]:
        yield pair()
        message = "bug"
        raise RuntimeError(message)

    with pytest.raises(RuntimeError):
        write_step(tmp_path / "a", Given(), fails)

    assert [path.name for path in tmp_path.iterdir()] == [".a.lock"]
    assert step_of(tmp_path / "a", [pair()]).manifest.counts.kept == 1


def test_a_full_disk_is_said_in_words(tmp_path: Path) -> None:
    """No space left is the machine's fault: a DollyError, and nothing half-written."""

    def fills(_: Aside) -> Iterator[Outcome]:
        yield pair()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(DollyError, match="no space left on the disk"):
        write_step(tmp_path / "a", Given(), fills)

    assert not (tmp_path / "a").exists()


def test_the_same_step_is_not_done_again(tmp_path: Path) -> None:
    """A finished step with the same fingerprint is reused; --force and a changed setting redo it."""
    calls = []

    def once(_: Aside) -> Iterator[Outcome]:
        calls.append(1)
        yield pair()

    reused = [
        write_step(tmp_path / "a", Given(rows=rows), once, force=force)[1]
        for rows, force in [(1, False), (1, False), (1, True), (2, False)]
    ]

    assert reused == [False, True, False, False]
    assert len(calls) == 3


def test_a_damaged_step_is_done_again(tmp_path: Path) -> None:
    """Reuse needs the same bytes, not only the same fingerprint."""
    step = step_of(tmp_path / "a", [pair()])
    (step.path / "records.jsonl").write_bytes(b"")

    _, reused = write_step(tmp_path / "a", Given(rows=1), lambda _: [pair()])

    assert not reused


@pytest.mark.parametrize("content", ["notes.txt", "sub/notes.txt"])
def test_a_directory_of_somebody_else_is_left_alone(tmp_path: Path, content: str) -> None:
    """An output directory with foreign files is refused, even with --force."""
    file = tmp_path / "a" / content
    file.parent.mkdir(parents=True)
    file.write_text("mine")

    with pytest.raises(InputError, match="it is left alone"):
        write_step(tmp_path / "a", Given(), lambda _: [pair()], force=True)

    assert file.read_text() == "mine"


def test_two_writers_of_one_step_are_refused(tmp_path: Path) -> None:
    """The second process says that the first is writing."""
    with (tmp_path / ".a.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)

        with pytest.raises(InputError, match="another process is writing it"):
            step_of(tmp_path / "a", [pair()])


def test_the_fingerprint_is_stage_settings_and_input_bytes(tmp_path: Path) -> None:
    """Paths and times are recorded, not identity: the same work elsewhere has the same fingerprint."""
    first, second = (step_of(tmp_path / name, [pair()]) for name in "ab")

    assert first.manifest.fingerprint == second.manifest.fingerprint
    assert fingerprint("given", {"rows": 1}, ()) != fingerprint("given", {"rows": 2}, ())


def test_a_stage_leaves_rows_beside_its_outcomes(tmp_path: Path) -> None:
    """What a stage leaves is hashed like everything else."""

    def leaves(aside: Aside) -> Iterator[Outcome]:
        aside.leave("neighbours", {"id": "a", "cosine": 0.5})
        yield pair()

    step, _ = write_step(tmp_path / "a", Given(), leaves)

    assert list(step.rows("neighbours")) == [{"id": "a", "cosine": 0.5}]
    assert step.manifest.output("neighbours.jsonl") is not None


def test_the_manifest_is_written_last_and_reads_as_json(tmp_path: Path) -> None:
    """A person can read it: stage, settings, inputs, outputs, counts."""
    step = step_of(tmp_path / "a", [pair()])

    manifest = json.loads((step.path / "manifest.json").read_text())

    assert manifest["stage"] == "given"
    assert manifest["outputs"][0]["path"] == "records.jsonl"
