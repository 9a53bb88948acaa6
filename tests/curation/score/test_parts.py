"""Parts of texts measured by worker processes: the same bytes, and no other model than the one that was meant."""

from pathlib import Path
from typing import Any

import pytest
import torch

import curation.score.difficulty as module
from curation.engine import Engine
from curation.pipeline import run_stage
from curation.score.parts import Measure, Part, device, measure, measured, threads_of
from curation.score.reading import Read
from curation.score.stage import Scoring
from schemas.errors import InputError
from tests.curation.test_engine import bytes_of
from tests.support import pair, step_of
from tests.training.tiny import save_tiny

POOL = [
    pair(f"Name {n} colours. " * (n % 4 + 1), "Red, green and blue. " * (n % 7), "two and three" * (n % 2))
    for n in range(24)
]
READ = [Read(tuple(range(1, 3 + n)), tuple(range(5, 9 + n))) for n in range(6)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model on disk."""
    return save_tiny(tmp_path_factory.mktemp("model"))


def work(folder: Path, **more: Any) -> Measure:
    """Return the work of a worker that measures by a tiny model."""
    here = {"model": str(folder), "digest": "0" * 64, "dtype": "fp32", "device": device().type}
    return Measure(**{**here, "alone": 1, "batch_tokens": 64, **more})


def test_worker_processes_give_the_same_bytes(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts are cut before they are spread, so that the same ones share a batch: in bf16 that rounds otherwise."""
    monkeypatch.setattr(module, "PART", 4)
    monkeypatch.chdir(folder.parent)
    before = step_of(tmp_path / "in", POOL)
    stage = Scoring(scorers=("ifd",), model=folder.name, precision="bf16", batch_tokens=100, cache=False)

    here = run_stage(stage, before.path, tmp_path / "here", engine=Engine(workers=1)).step
    spread = run_stage(stage, before.path, tmp_path / "spread", engine=Engine(workers=2)).step

    assert bytes_of(spread) == bytes_of(here)
    assert spread.manifest.fingerprint == here.manifest.fingerprint
    assert sum(row["value"] is not None for row in spread.rows("scores")) > len(POOL)


def test_processes_are_started_only_where_their_number_was_given(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each would hold the model; by itself it uses all processors, from this process."""
    monkeypatch.setattr(Engine, "map", None)
    parts = [Part(READ, [True] * len(READ))] * 6
    told: list[int] = []

    found = list(measured(work(folder), parts, Engine(), told.append))

    assert found == [measure(work(folder).open(), parts[0], 1)] * 6
    assert sum(told) == 2 * 6 * len(READ)


def test_a_worker_refuses_another_model(folder: Path) -> None:
    """Weights of the same name that differ on a node would give other scores."""
    with pytest.raises(InputError, match="on a worker: expected weights 000000000000"):
        work(folder)(Part(READ, [True] * len(READ)))


def test_a_worker_refuses_to_compute_elsewhere(folder: Path) -> None:
    """Another kind of device rounds otherwise."""
    with pytest.raises(InputError, match="expected workers that compute on abacus"):
        work(folder, device="abacus").open()


def test_workers_share_the_threads_of_this_process() -> None:
    """None gets fewer than one; Ray's have what Ray gave them."""
    assert threads_of(Engine(workers=1)) == torch.get_num_threads()
    assert threads_of(Engine(workers=10_000)) == 1
    assert threads_of(Engine(kind="ray")) == 0
