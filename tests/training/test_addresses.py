"""Training reads steps and releases at an address: mirrored, verified, and named by the address."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from schemas.mirror import fetch_step, here, mirror_of
from tests.stores import elsewhere, memory_store
from tests.support import pair, step_of
from tests.training.conftest import COLOURS
from tests.training.forked import as_ranks
from tests.training.records.test_data import release_of
from training.checkpoint.checkpoint import read_run
from training.cli import main
from training.config import settle
from training.fit import fit, follow
from training.planning.plan import Request
from training.ranks.distributed import Ranks
from training.watch_config import WatchConfig

QUICK = ("--steps", "1", "--dtype", "fp32", "--plain", "--sample-tokens", "0", "--no-reload-check")
SHELF = "memory://shelf"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A store in memory with a release, and a cache folder of its own."""
    with memory_store(tmp_path / "cache", monkeypatch) as memory:
        memory.put(str(release_of(tmp_path / "release", COLOURS)), "/shelf/release", recursive=True)
        yield memory


def run(*words: object) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.mark.usefixtures("store")
def test_a_release_at_an_address_is_trained_on(tmp_path: Path, tiny: Path) -> None:
    """Its run names the address, so that the records are found again on another machine."""
    done = run(f"{SHELF}/release", "--base", tiny, "-o", tmp_path / "out", *QUICK)
    elsewhere(tmp_path / "cache")
    looked = run("inspect", tmp_path / "out", "-o", tmp_path / "looked")

    assert done.exit_code == 0, done.output
    assert f"{SHELF}/release: 8 records" in done.output
    assert read_run(tmp_path / "out").data.path == f"{SHELF}/release"
    assert looked.exit_code == 0, looked.output


def test_what_was_changed_at_the_address_is_refused(tmp_path: Path, tiny: Path, store: Any) -> None:
    """The seal is of the release, wherever it stands."""
    (name,) = (name for name in store.find("/shelf/release") if name.endswith(".parquet"))
    store.pipe(name, store.cat_file(name)[:-1] + b"?")

    done = run(f"{SHELF}/release", "--base", tiny, "-o", tmp_path / "out", *QUICK)

    assert done.exit_code == 1
    assert "parquet: its bytes are not those the manifest was written for" in done.output


@pytest.mark.usefixtures("store")
def test_another_release_than_the_one_that_is_meant_is_refused(tmp_path: Path, tiny: Path) -> None:
    """By its pin."""
    done = run(f"{SHELF}/release", "--base", tiny, "-o", tmp_path / "out", "--pin", "0" * 64, *QUICK)

    assert done.exit_code == 1
    assert "manifest.json: sha256: expected 0000" in done.output


def test_the_arms_of_a_comparison_are_read_from_addresses(tmp_path: Path, tiny: Path, store: Any) -> None:
    """So are the records to measure it on, which are a file there."""
    raw = step_of(tmp_path / "1-raw", [*COLOURS, *(pair(f"Name bird {n}.", "Wren.") for n in range(8))])
    store.put(str(raw.path), "/shelf/1-raw", recursive=True)
    store.put(str(step_of(tmp_path / "2-curated", COLOURS).path), "/shelf/2-curated", recursive=True)
    tests = b"".join(b'{"instruction": "Name fish %d.", "output": "A fine cod."}\n' % n for n in range(30))
    store.pipe("/shelf/test.jsonl", tests)

    words = [f"{SHELF}/1-raw", f"{SHELF}/2-curated", "--test", f"{SHELF}/test.jsonl", "--base", tiny]
    done = run("prove", *words, "-o", tmp_path / "proof", "--dry-run", "--plain", "--steps", "2")

    assert done.exit_code == 0, done.output
    assert mirror_of(f"{SHELF}/1-raw").is_dir()
    assert mirror_of(f"{SHELF}/2-curated").is_dir()


def _take_part(ranks: Ranks, request: Request) -> str:
    if ranks.first:
        fit(request, ranks=ranks)
    else:
        follow(request, ranks)
    return "done"


@pytest.fixture
def request_of(tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make a request of two ranks for data that stand somewhere."""
    monkeypatch.setenv("DOLLY_CACHE", str(tmp_path / "cache"))
    config = settle("default", {"steps": 2, "rows_per_step": 4, "dtype": "fp32"})

    def make(data: Path) -> Request:
        return Request(
            data=data,
            base=str(tiny),
            out=tmp_path / "two",
            config=config,
            preset="default",
            devices=2,
            watching=WatchConfig(sample_tokens=0),
            reload_check=False,
        )

    return make


def test_ranks_of_one_machine_share_a_mirror(tmp_path: Path, colours: Path, request_of: Any) -> None:
    """They ask at once; one fetches."""
    address = f"file://{colours}"

    said = as_ranks(2, tmp_path / "meeting", lambda ranks: _take_part(ranks, request_of(here(address))))

    assert said == ["done", "done"]
    assert read_run(tmp_path / "two").data.path == address
    assert read_run(tmp_path / "two").data.trained == len(COLOURS)


def test_a_rank_whose_records_are_others_is_refused(tmp_path: Path, colours: Path, request_of: Any) -> None:
    """A machine that fetched another release than the first does not train along."""
    other = step_of(tmp_path / "other", COLOURS[:4]).path
    fetched = fetch_step(f"file://{other}")

    said = as_ranks(
        2, tmp_path / "meeting", lambda ranks: _take_part(ranks, request_of(colours if ranks.first else fetched))
    )

    assert "manifest.json: sha256: expected" in said[1]
    assert "done" not in said
    assert not (tmp_path / "two").exists()
