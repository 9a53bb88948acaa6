"""A step in shards that was stopped, however it was, goes on after its last finished shard to the same bytes."""

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from curation.engine import Engine
from curation.pipeline import run_stage
from curation.sources import Validate
from schemas.manifest import Manifest
from schemas.outcome import SILENT, Aside, Outcome, reject
from schemas.record import InstructionRecord, Reason
from schemas.step import StepDirectory
from tests.support import ROOT, pair, step_of

LOG = "judged.txt"
EMPTY = Reason(code="response_empty", field="response")


@dataclass(frozen=True, slots=True, kw_only=True)
class Odd:
    """Keeps odd numbers, notes what it judged, and comes to an end at one of them where a file says so."""

    by_record: ClassVar[bool] = True
    folder: str = ""
    """Where to note it."""

    @property
    def name(self) -> str:
        """The stage's name."""
        return "odd"

    def __call__(self, records: Iterable[InstructionRecord], _: Aside = SILENT, /) -> Iterator[Outcome]:
        """Yield an outcome a record."""
        stop = Path(self.folder) / "stop.txt"
        number, how = stop.read_text().split() if stop.exists() else ("", "")
        for record in records:
            if record.instruction == number:
                end(how)
            with (Path(self.folder) / LOG).open("a") as log:
                log.write(f"{record.instruction} ")
            yield record if int(record.instruction) % 2 else reject(record, EMPTY)


def end(how: str) -> None:
    """Fail, or be killed."""
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    message = "a bug"
    raise RuntimeError(message)


def numbers(folder: Path, count: int = 10) -> StepDirectory:
    """Return a step of numbers."""
    return step_of(folder / "in", [pair(str(number), "one " * number) for number in range(1, count + 1)])


def run(folder: Path, shard: int, target: str = "out") -> StepDirectory:
    """Judge the numbers, one by one."""
    engine = Engine(workers=1, chunk=1, shard=shard)
    return run_stage(Odd(folder=str(folder)), folder / "in", folder / target, engine=engine).step


def same(one: Manifest, other: Manifest) -> bool:
    """Say whether two steps are the same, cut in the same way."""
    return (one.outputs, one.parts, one.counts, one.fingerprint) == (
        other.outputs,
        other.parts,
        other.counts,
        other.fingerprint,
    )


@given(shard=st.integers(1, 11), at=st.integers(1, 10))
@examples(max_examples=15, deadline=None)
def test_what_was_finished_is_not_done_again(tmp_path_factory: pytest.TempPathFactory, shard: int, at: int) -> None:
    """Wherever it stops, however it is cut: the second run judges what no finished shard holds, to the same bytes."""
    folder = tmp_path_factory.mktemp("resume")
    numbers(folder)
    expected = run(folder, shard, "expected").manifest
    (folder / "stop.txt").write_text(f"{at} fail")
    with pytest.raises(RuntimeError):
        run(folder, shard)
    (folder / "stop.txt").unlink()
    (folder / LOG).unlink()

    step = run(folder, shard)

    assert same(StepDirectory.open(step.path).manifest, expected)
    assert (folder / LOG).read_text().split()[0] == str((at - 1) // shard * shard + 1)
    assert sorted(path.name for path in folder.iterdir() if "writing" in path.name) == []


def in_a_process(folder: Path, before: str = "") -> subprocess.CompletedProcess[str]:
    """Judge the numbers in shards of 3, in a process of its own that does something before."""
    code = (
        f"{before}\nfrom pathlib import Path\nfrom tests.curation.test_resume import run\nrun(Path({str(folder)!r}), 3)"
    )
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)


def test_it_goes_on_after_kill_9(tmp_path: Path) -> None:
    """The finished shards of a killed process stand, what was half written is thrown away."""
    numbers(tmp_path)
    expected = run(tmp_path, 3, "expected").manifest
    (tmp_path / "stop.txt").write_text("9 kill")

    killed = in_a_process(tmp_path)

    assert killed.returncode == -signal.SIGKILL
    left = sorted(path.name for path in (tmp_path / ".out.writing").glob("records*"))
    assert left == ["records-00001.jsonl", "records-00002.jsonl"]
    (tmp_path / "stop.txt").unlink()
    (tmp_path / LOG).unlink()
    assert same(run(tmp_path, 3).manifest, expected)
    assert (tmp_path / LOG).read_text().split() == ["7", "8", "9", "10"]


def test_a_full_disk_keeps_what_is_finished(tmp_path: Path) -> None:
    """Where no more can be written a message says that shards are kept, and with more room it goes on from them."""
    step_of(tmp_path / "in", [pair(str(number), "one " * (1 if number < 8 else 5000)) for number in range(1, 11)])
    expected = run(tmp_path, 3, "expected").manifest
    limit = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))"

    full = in_a_process(tmp_path, limit)

    assert "DollyError" in full.stderr
    assert "finished shards are kept, and the same command goes on from them" in full.stderr
    (tmp_path / LOG).unlink()
    assert same(run(tmp_path, 3).manifest, expected)
    assert (tmp_path / LOG).read_text().split()[0] == "7"
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    """A folder with a step in shards of 3 that failed at 9: two shards are finished."""
    numbers(tmp_path)
    (tmp_path / "stop.txt").write_text("9 fail")
    with pytest.raises(RuntimeError):
        run(tmp_path, 3)
    (tmp_path / "stop.txt").unlink()
    (tmp_path / LOG).unlink()
    return tmp_path


@pytest.mark.parametrize(
    ("name", "first"),
    [("records-00001.jsonl", "1"), ("rejected-00002.jsonl", "4"), (".shards.jsonl", "4"), ("nothing", "7")],
)
def test_a_shard_that_is_not_as_it_was_written_is_done_again(name: str, first: str, stopped: Path) -> None:
    """It goes on after the last shard before a damaged part, or before a torn line of the journal."""
    expected = run(stopped, 3, "expected").manifest
    (stopped / LOG).unlink()
    file = stopped / ".out.writing" / name
    file.write_bytes(file.read_bytes()[:-2] if file.exists() else b"a stranger")

    step = run(stopped, 3)

    assert same(StepDirectory.open(step.path).manifest, expected)
    assert (stopped / LOG).read_text().split()[0] == first


def test_other_work_begins_again(stopped: Path) -> None:
    """Other input, or other shards, or --force: nothing of what stood there is taken."""
    kept = stopped / "kept"
    shutil.copytree(stopped / ".out.writing", kept)

    run(stopped, 4)
    first = [(stopped / LOG).read_text().split()[0]]
    for force in (False, True):
        shutil.rmtree(stopped / "out")
        shutil.copytree(kept, stopped / ".out.writing")
        (stopped / LOG).unlink()
        engine = Engine(workers=1, chunk=1, shard=3)
        run_stage(Odd(folder=str(stopped)), stopped / "in", stopped / "out", engine=engine, force=force)
        first.append((stopped / LOG).read_text().split()[0])

    assert first == ["1", "7", "1"]


class Left:
    """An aside that keeps what is left there."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.rows: list[object] = []

    def leave(self, _: str, row: object) -> None:
        """Keep a row."""
        self.rows.append(row)

    def progress(self, *_: object) -> None:
        """Say nothing."""


def test_reading_goes_on_in_the_middle_of_files(tmp_path: Path) -> None:
    """Rows of several pairs, rows that are none, a second file: the rest is the rest, and formats are counted."""
    task = '{"instruction": "Add.", "instances": [{"input": "1 1", "output": "2"}, {"input": "2 2", "output": "4"}]}'
    row = '{"instruction": "Name.", "input": "", "output": "Ann."}'
    for name in "ab":
        (tmp_path / f"{name}.jsonl").write_text(f'{row}\n{task}\n{{\n{row}\n{{"x": 1}}\n{row}')
    source, engine, whole = Validate(source=str(tmp_path)), Engine(workers=1, chunk=1), Left()
    parts = list(source.spread(engine, whole))
    starts = [sum(part.tally.rows for part in parts[:number]) for number in range(len(parts) + 1)]

    for number, start in enumerate(starts):
        left = Left()
        assert list(source.spread(engine, left, start)) == parts[number:]
        assert left.rows == whole.rows

    assert starts[-1] == 14
    assert len(whole.rows) > 2
