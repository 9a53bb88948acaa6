"""Ray's workers give what the processes of this machine give, also when they are killed."""

import os
import signal
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from curation.dedupe.stage import Dedupe
from curation.embedding.hashing import HashingEncoder
from curation.embedding.sentence import SentenceEncoder
from curation.embedding.spread import SpreadEncoder
from curation.engine import AHEAD, Engine
from curation.filters.stage import Filter
from curation.pipeline import run_source, run_stage
from curation.release.build import Release, release
from curation.score.stage import Scoring
from curation.select.stage import Select
from curation.sources import Validate
from schemas.errors import DollyError, InputError
from schemas.outcome import SILENT, Aside, Outcome, Stage
from schemas.record import InstructionRecord
from tests.curation.test_engine import MANY, bytes_of
from tests.curation.work import die, die_once, refuse, stop_once, take_time, twice
from tests.support import step_of
from tests.training.tiny import save_tiny

RAY = Engine(kind="ray", workers=2, chunk=7)


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    """Ray, started once with little memory; skip the tests, saying so, where it is not installed."""
    started = pytest.importorskip("ray", reason="Ray is not installed: pip install '.[ray]'")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    memory = 100 * 1024 * 1024
    started.init(
        num_cpus=2, object_store_memory=memory, include_dashboard=False, log_to_driver=False, logging_level="ERROR"
    )
    yield started
    started.shutdown()


@pytest.mark.usefixtures("ray")
def test_a_step_has_the_bytes_of_the_local_engine(tmp_path: Path) -> None:
    """Files, counts and fingerprint are the same."""
    before = step_of(tmp_path / "in", MANY)
    expected = step_of(tmp_path / "expected", list[Outcome](Filter()(MANY)))

    step = run_stage(Filter(), before.path, tmp_path / "out", engine=RAY).step

    assert bytes_of(step) == bytes_of(expected)
    assert step.manifest.counts == expected.manifest.counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadly:
    """The filter, which kills the first worker that comes to it."""

    by_record: ClassVar[bool] = True
    flag: str
    """The file that says that it did."""

    @property
    def name(self) -> str:
        """The stage's name."""
        return "deadly"

    def __call__(self, records: Iterable[InstructionRecord], _: Aside = SILENT, /) -> Iterator[Outcome]:
        """Yield what the filter does, or die."""
        for record in records:
            if record == MANY[30] and not Path(self.flag).exists():
                Path(self.flag).touch()
                os.kill(os.getpid(), signal.SIGKILL)
            yield from Filter()((record,))


@pytest.mark.usefixtures("ray")
def test_a_step_in_shards_has_the_same_bytes_after_kill_9(tmp_path: Path) -> None:
    """A worker's death in the middle changes no part of it."""
    before = step_of(tmp_path / "in", MANY)
    expected = run_stage(Filter(), before.path, tmp_path / "expected", engine=Engine(workers=1, shard=10)).step

    stage = Deadly(flag=str(tmp_path / "flag"))
    step = run_stage(stage, before.path, tmp_path / "out", engine=replace(RAY, shard=10)).step

    assert (tmp_path / "flag").exists()
    assert bytes_of(step) == bytes_of(expected)
    assert step.manifest.parts == expected.manifest.parts != {}


@pytest.mark.usefixtures("ray")
def test_rows_are_validated_the_same(tmp_path: Path) -> None:
    """Records, rejections, their places and the side file of formats."""
    rows = [f'{{"instruction": "Name {n}.", "input": "", "output": "{n}."}}' if n % 4 else "{" for n in range(40)]
    (tmp_path / "rows.jsonl").write_text("\n".join(rows))
    source = Validate(source=str(tmp_path / "rows.jsonl"))

    local = run_source(source, tmp_path / "local").step
    step = run_source(source, tmp_path / "ray", engine=RAY).step

    assert bytes_of(step) == bytes_of(local)
    assert step.manifest.fingerprint == local.manifest.fingerprint


@pytest.mark.usefixtures("ray")
@pytest.mark.parametrize(
    "stage",
    [
        Dedupe(encoder="hashing", threshold=0.8, tile=16, allow_loss=("",)),
        Select(keep="20", encoder="hashing", max_cosine=0.8),
        Scoring(),
    ],
    ids=lambda stage: stage.name,
)
def test_stages_that_look_at_all_records_give_the_same_bytes(stage: Stage, tmp_path: Path) -> None:
    """Tiles and scores are computed elsewhere, and what is decided is the same."""
    before = step_of(tmp_path / "in", MANY)

    local = run_stage(stage, before.path, tmp_path / "local").step
    step = run_stage(stage, before.path, tmp_path / "ray", engine=RAY).step

    assert bytes_of(step) == bytes_of(local)
    assert step.manifest.fingerprint == local.manifest.fingerprint


@pytest.mark.usefixtures("ray")
def test_difficulty_has_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Actors load the model and measure parts of the texts, in bf16, which rounds by who shares a batch."""
    monkeypatch.setattr("curation.score.difficulty.PART", 16)
    before = step_of(tmp_path / "in", MANY)
    save_tiny(tmp_path / "model")
    monkeypatch.chdir(tmp_path)
    stage = Scoring(scorers=("ifd",), model="model", precision="bf16", batch_tokens=300, cache=False)

    local = run_stage(stage, before.path, tmp_path / "local").step
    step = run_stage(stage, before.path, tmp_path / "ray", engine=RAY).step

    assert bytes_of(step) == bytes_of(local)
    assert step.manifest.fingerprint == local.manifest.fingerprint
    assert all(row["value"] is not None for row in step.rows("scores"))


@pytest.mark.usefixtures("ray")
def test_a_release_has_the_same_bytes(tmp_path: Path) -> None:
    """Of the rows as of everything that is told of them."""
    step = step_of(tmp_path / "in", MANY)

    local, _ = release(step, tmp_path / "local" / "rel", Release())
    spread, reused = release(step, tmp_path / "ray" / "rel", Release(), engine=RAY)

    assert spread.outputs == local.outputs
    assert spread.fingerprint == local.fingerprint
    assert not reused


@pytest.mark.usefixtures("ray")
def test_texts_are_encoded_by_workers_in_their_order() -> None:
    """Each vector is that of its text, as one process computes it."""
    texts = [f"{'very ' * (n % 5)}long text {n}" for n in range(600)]
    encoder = SpreadEncoder(encoder=HashingEncoder(), name="hashing", engine=RAY)

    assert np.array_equal(encoder.encode(texts), HashingEncoder().encode(texts))


@pytest.mark.parametrize(("bf16", "precision"), [(True, "bf16"), (False, "fp32")])
def test_workers_compute_in_the_precision_of_the_starting_process(
    monkeypatch: pytest.MonkeyPatch, bf16: bool, precision: str
) -> None:
    """What their own processors could do decides nothing."""
    given: list[Any] = []

    def record(_: Engine, work: object, parts: Iterable[list[str]]) -> Iterator[Any]:
        given.append(work)
        return (np.zeros((len(texts), 2), np.float32) for texts in parts)

    monkeypatch.setattr(Engine, "map", record)
    encoder = SentenceEncoder(folder=Path("nowhere"), weights="0" * 8, bf16=bf16)

    SpreadEncoder(encoder=encoder, name="minilm", engine=RAY).encode(["a text"])

    assert [(work.precision, work.identity) for work in given] == [(precision, encoder.identity)]


@pytest.mark.usefixtures("ray")
def test_a_worker_with_another_encoder_is_refused() -> None:
    """Its vectors would be kept under a name that is not theirs."""
    encoder = SpreadEncoder(encoder=HashingEncoder(dimensions=64), name="hashing", engine=RAY)

    with pytest.raises(InputError, match="on a worker: expected hashing-3-5-64, as here, found hashing-3-5-512"):
        encoder.encode(["a text"])


@pytest.mark.usefixtures("ray")
def test_a_killed_worker_is_replaced(tmp_path: Path) -> None:
    """After kill -9 on a worker's process its chunks are done again, in their place."""
    work = partial(die_once, str(tmp_path / "flag"))

    parts = list(RAY.map(work, ([n] for n in range(12))))

    assert parts == [[2 * n] for n in range(12)]
    assert (tmp_path / "flag").exists()


@pytest.mark.usefixtures("ray")
def test_what_a_silent_worker_had_is_done_by_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that no longer answers, and is not known to be dead, as behind a network that is cut."""
    monkeypatch.setattr("curation.ray_engine.ASKED_AFTER", 2.0)
    work = partial(stop_once, str(tmp_path / "flag"))

    assert list(RAY.map(work, ([n] for n in range(12)))) == [[2 * n] for n in range(12)]
    assert (tmp_path / "flag").exists()


@pytest.mark.usefixtures("ray")
def test_workers_that_always_die_are_an_error() -> None:
    """Records that kill every worker end in a message."""
    with pytest.raises(DollyError, match="died 4 times over the same records"):
        list(RAY.map(die, [[1]]))


@pytest.mark.usefixtures("ray")
def test_what_a_worker_refuses_is_refused_here() -> None:
    """Its error comes as it is, to become a message."""
    with pytest.raises(InputError, match="here: expected better, found 0"):
        list(RAY.map(refuse, [[0]]))


@pytest.mark.usefixtures("ray")
def test_no_more_is_read_than_workers_can_take() -> None:
    """Chunks are read as parts are asked for."""
    read: list[int] = []
    parts = RAY.map(twice, (read.append(n) or [n] for n in range(100)))  # type: ignore[func-returns-value]  # counts

    assert [next(parts) for _ in range(10)] == [[2 * n] for n in range(10)]
    assert len(read) <= 10 + AHEAD * 2


@pytest.mark.usefixtures("ray")
def test_more_workers_than_processors_are_worked_without() -> None:
    """Those that find no place are not waited for."""
    workers = replace(RAY, workers=7)

    assert list(workers.map(twice, ([n] for n in range(40)))) == [[2 * n] for n in range(40)]


@pytest.mark.usefixtures("ray")
def test_the_first_chunks_go_to_as_many_workers_as_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where there are few chunks, which take long."""
    monkeypatch.setattr("curation.ray_engine.GRACE", 120.0)
    assert list(RAY.map(partial(take_time, str(tmp_path)), [[0], [1]])) == [[0], [2]]
    assert len(list(tmp_path.iterdir())) == 2


def test_a_cluster_with_no_processor_free_is_said(ray: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others hold them all."""
    monkeypatch.setattr("curation.ray_engine.GRACE", 0.1)
    monkeypatch.setattr("curation.ray_engine.PATIENCE", 2.0)
    others = ray.remote(Other).options(num_cpus=2).remote()
    ray.get(others.hold.remote())

    with pytest.raises(DollyError, match="no processor for a worker for 2 s: of 2, 0 are free"):
        list(RAY.map(twice, [[1]]))

    ray.kill(others)


class Other:
    """Holds processors."""

    def hold(self) -> bool:
        """Say that it does."""
        return True


def test_without_ray_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message names the extra."""
    monkeypatch.setattr("curation.ray_engine.find_spec", lambda _: None)

    with pytest.raises(InputError, match=r"pip install '\.\[ray\]' in a checkout"):
        list(RAY.map(twice, [[1]]))
