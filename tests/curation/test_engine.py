"""Engines map work over chunks: in order, with few chunks at a time, whatever becomes of the workers."""

import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from curation.engine import AHEAD, Engine
from curation.filters.stage import Filter
from curation.pipeline import run_source, run_stage
from curation.sources import Validate
from schemas.errors import DollyError, InputError
from schemas.outcome import Outcome
from schemas.record import InstructionRecord
from schemas.step import StepDirectory
from schemas.written import written
from tests.curation.work import die, die_once, refuse, twice
from tests.support import ROOT, filled, pair, records, step_of, words

MANY = [pair(f"Name {n} rivers.", "The Rhine." if n % 3 else "As an AI language model, I", "") for n in range(60)]


def bytes_of(step: StepDirectory) -> dict[str, tuple[str, int | None]]:
    """Return what a step wrote, by file."""
    return {one.path: (one.sha256, one.rows) for one in step.manifest.outputs}


@given(st.lists(st.one_of(records(words), records(filled)), max_size=12), st.integers(1, 13))
@examples(max_examples=40, deadline=None)
def test_a_stage_by_record_gives_the_same_chunk_by_chunk(some: list[InstructionRecord], size: int) -> None:
    """Its outcomes and their counts do not depend on where the chunks begin."""
    parts = [written(Filter()(chunk)) for chunk in Engine(chunk=size).chunks(some)]
    whole = written(Filter()(some))

    tally = type(whole.tally)()
    for part in parts:
        tally.merge(part.tally)
    assert [line for part in parts for line in part.records] == list(whole.records)
    assert [line for part in parts for line in part.rejected] == list(whole.rejected)
    assert tally.counts() == whole.tally.counts()
    assert list(tally.counts().reasons) == list(whole.tally.counts().reasons)


@pytest.mark.parametrize("engine", [Engine(workers=1, chunk=7), Engine(workers=2, chunk=5), Engine(workers=3, chunk=1)])
def test_a_step_has_the_same_bytes_with_any_workers_and_chunks(engine: Engine, tmp_path: Path) -> None:
    """Files, counts and fingerprint are those of one process that takes record by record."""
    before = step_of(tmp_path / "in", MANY)
    expected = step_of(tmp_path / "expected", list[Outcome](Filter()(MANY)))

    step = run_stage(Filter(), before.path, tmp_path / "out", engine=engine).step

    assert bytes_of(step) == bytes_of(expected)
    assert step.manifest.counts == expected.manifest.counts
    assert step.manifest.counts.rejected == 20


def test_rows_are_validated_the_same_in_several_processes(tmp_path: Path) -> None:
    """Records, rejections, their places and the side file of formats."""
    rows = [f'{{"instruction": "Name {n}.", "input": "", "output": "{n}."}}' if n % 4 else "{" for n in range(40)]
    (tmp_path / "rows.jsonl").write_text("\n".join(rows))
    source = Validate(source=str(tmp_path / "rows.jsonl"))

    alone = run_source(source, tmp_path / "alone", engine=Engine(workers=1)).step
    spread = run_source(source, tmp_path / "spread", engine=Engine(workers=2, chunk=3)).step

    assert bytes_of(spread) == bytes_of(alone)
    assert spread.manifest.fingerprint == alone.manifest.fingerprint
    assert spread.manifest.counts.rejected == 10
    assert list(spread.rows("formats")) == list(alone.rows("formats")) != []


def test_no_more_is_read_than_workers_can_take() -> None:
    """Chunks are read as parts are asked for: a long input needs no more memory than a short one."""
    read = []

    def endless() -> Iterator[list[int]]:
        number = 0
        while True:
            read.append(number)
            yield [number]
            number += 1

    parts = Engine(workers=2).map(twice, endless())
    first = [next(parts) for _ in range(10)]
    parts.close()  # type: ignore[attr-defined]  # a generator

    assert first == [[2 * n] for n in range(10)]
    assert len(read) <= 10 + AHEAD * 2


def test_a_killed_worker_is_replaced(tmp_path: Path) -> None:
    """What it was doing is done again, and nothing is lost, doubled or moved."""
    work = partial(die_once, str(tmp_path / "flag"))

    parts = list(Engine(workers=2).map(work, ([n] for n in range(12))))

    assert parts == [[2 * n] for n in range(12)]
    assert (tmp_path / "flag").exists()


def test_workers_that_always_die_are_an_error() -> None:
    """Records that kill every worker end in a message, not in a loop."""
    with pytest.raises(DollyError, match="killed 3 times over the same records"):
        list(Engine(workers=2).map(die, ([n] for n in range(9))))


def test_what_a_worker_refuses_is_refused_here() -> None:
    """Its error comes as it is, to become a message."""
    with pytest.raises(InputError, match="here: expected better, found 0"):
        list(Engine(workers=2).map(refuse, ([n] for n in range(9))))


def alive(process: int) -> bool:
    """Say whether a process still runs; one that ended and was not waited for does not."""
    stat = Path(f"/proc/{process}/stat")
    return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_workers_end_with_their_parent(tmp_path: Path) -> None:
    """After kill -9 on the process that they work for, nothing goes on."""
    code = (
        "from functools import partial\nfrom curation.engine import Engine\n"
        "from tests.curation.work import stand_still\n"
        f"list(Engine(workers=2).map(partial(stand_still, {str(tmp_path)!r}), ([n] for n in range(9))))\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) as parent:
        while len(started := [file.read_text() for file in tmp_path.glob("*.pid")]) < 2 or not all(started):
            time.sleep(0.05)
        parent.kill()
    while any(alive(int(process)) for process in started):
        time.sleep(0.05)

    assert len(started) == 2


@pytest.mark.parametrize(
    ("settings", "said"),
    [({"workers": -1}, "workers"), ({"chunk": -1}, "chunk"), ({"address": "auto"}, "--engine ray")],
)
def test_settings_that_cannot_be_meant_are_refused(settings: dict[str, object], said: str) -> None:
    """A message names the option."""
    with pytest.raises(InputError, match=said):
        Engine(**settings)  # type: ignore[arg-type]  # wrong on purpose
