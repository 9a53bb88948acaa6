"""Steps at an address are read and written as steps in a folder are."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from click.testing import CliRunner

from curation.cli import main
from schemas.chain import walk
from schemas.errors import DollyError, InputError
from schemas.mirror import fetch_step, mirror_of, put_step
from schemas.step import StepDirectory
from tests.curation.test_engine import MANY, bytes_of
from tests.support import step_of

RUNS = "memory://runs"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A store in memory with a step, and a cache folder of its own."""
    monkeypatch.setattr("schemas.mirror.cache_folder", lambda: tmp_path / "cache")
    memory = fsspec.filesystem("memory")
    memory.put(str(step_of(tmp_path / "1-in", MANY).path), "/runs/1-in", recursive=True)
    yield memory
    memory.rm("/runs", recursive=True)


def elsewhere(tmp_path: Path) -> None:
    """Go on as on another machine: nothing is in the cache."""
    shutil.rmtree(tmp_path / "cache")


def dolly(*words: str) -> str:
    """Run a command that ends well."""
    done = CliRunner().invoke(main, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def run_filter(*words: str) -> str:
    """Filter from an address to another."""
    return dolly("filter", f"{RUNS}/1-in", "-o", f"{RUNS}/2-filter", *words)


def test_a_step_is_written_to_an_address_and_read_from_there(tmp_path: Path, store: Any) -> None:
    """In parts; the same bytes as in a folder, and with it come the steps that led to it."""
    dolly("filter", str(tmp_path / "1-in"), "-o", str(tmp_path / "2-filter"), "--shard-rows", "25")

    said = run_filter("--shard-rows", "25")
    elsewhere(tmp_path)
    step = StepDirectory.open(fetch_step(f"{RUNS}/2-filter"))

    assert f"put at {RUNS}/2-filter" in said
    assert bytes_of(step) == bytes_of(StepDirectory.open(tmp_path / "2-filter"))
    assert store.isfile("/runs/2-filter/records-00003.jsonl")
    assert [one.manifest.stage for one in walk(step).steps] == ["given", "filter"]


def test_a_finished_step_at_an_address_is_reused(tmp_path: Path, store: Any) -> None:
    """On another machine, too; --force does it again, and what is no longer of it goes."""
    run_filter("--shard-rows", "25")
    elsewhere(tmp_path)
    written = store.modified("/runs/2-filter/manifest.json")

    event = json.loads(run_filter("--json").splitlines()[-1])
    assert event["reused"]
    assert store.modified("/runs/2-filter/manifest.json") == written

    run_filter("--force")
    names = {name.rpartition("/")[2] for name in store.find("/runs/2-filter")}
    assert names == {"records.jsonl", "rejected.jsonl", "manifest.json"}


def test_a_step_is_complete_when_its_manifest_is_there(store: Any) -> None:
    """Without one, however much stands there, it is no step."""
    store.rm_file("/runs/1-in/manifest.json")

    with pytest.raises(InputError, match="memory://runs/1-in: expected a finished step"):
        fetch_step(f"{RUNS}/1-in")


def test_what_was_changed_at_an_address_is_found(store: Any) -> None:
    """The file is named."""
    store.pipe("/runs/1-in/records.jsonl", b"{}\n")

    with pytest.raises(InputError, match=r"records\.jsonl: 3 bytes, the manifest says"):
        StepDirectory.open(fetch_step(f"{RUNS}/1-in"))


@pytest.mark.usefixtures("store")
def test_what_cannot_be_put_is_kept_and_put_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """An upload that fails in the middle leaves no step there; the same command again puts it, and does no more."""

    def fails(*_: object, **__: object) -> None:
        raise OSError("no way")  # what a store says

    with monkeypatch.context() as broken:
        broken.setattr(type(fsspec.filesystem("memory")), "put_file", fails)
        done = CliRunner().invoke(main, ["filter", f"{RUNS}/1-in", "-o", f"{RUNS}/2-filter"])
    assert isinstance(done.exception, DollyError) or done.exit_code == 1
    assert not fsspec.filesystem("memory").exists("/runs/2-filter/manifest.json")

    said = run_filter()

    assert "reused" in said
    assert StepDirectory.open(fetch_step(f"{RUNS}/2-filter")).path == mirror_of(f"{RUNS}/2-filter")
    assert not put_step(f"{RUNS}/2-filter")


def test_what_cannot_be_put_over_an_older_step_is_put_the_next_time(
    store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The older one is not fetched over it; until it is put, who reads there is told that it waits."""
    older = run_filter("--check", "mojibake")
    manifest = store.cat("/runs/2-filter/manifest.json")

    def fails(*_: object, **__: object) -> None:
        raise OSError("no way")

    with monkeypatch.context() as broken:
        broken.setattr(type(store), "rm_file", fails)
        done = CliRunner().invoke(main, ["filter", f"{RUNS}/1-in", "-o", f"{RUNS}/2-filter"])
    mirror = mirror_of(f"{RUNS}/2-filter")
    finished = (mirror / "manifest.json").read_bytes()
    assert done.exit_code == 1
    assert "no way; it is kept in" in done.output
    assert store.cat("/runs/2-filter/manifest.json") == manifest != finished

    with pytest.raises(InputError, match="is to be put there: make it again, or remove"):
        fetch_step(f"{RUNS}/2-filter")
    said = run_filter()

    assert "reused" not in older
    assert "reused" in said
    assert store.cat("/runs/2-filter/manifest.json") == finished
    assert fetch_step(f"{RUNS}/2-filter") == mirror


@pytest.mark.usefixtures("store")
def test_a_command_that_fails_puts_nothing() -> None:
    """What stands at the address stays as it is."""
    done = CliRunner().invoke(main, ["filter", f"{RUNS}/nothing", "-o", f"{RUNS}/2-filter"])

    assert done.exit_code == 1
    assert "memory://runs/nothing: expected a finished step" in done.output
    assert not fsspec.filesystem("memory").exists("/runs/2-filter")


def test_what_is_not_of_a_step_is_never_removed(store: Any) -> None:
    """Someone else's file at the address is an error that names it, whether a step stands there or not."""
    run_filter()
    for address in ("/runs/2-filter", "/runs"):
        store.pipe(f"{address}/theses.txt", b"years of work")

        words = ["filter", f"{RUNS}/1-in", "-o", f"memory:/{address}", "--shard-rows", "25", "--force"]
        done = CliRunner().invoke(main, words)

        assert done.exit_code == 1
        assert " stands there, which is not this step's" in done.output
        assert store.cat_file(f"{address}/theses.txt") == b"years of work"
    assert store.isfile("/runs/1-in/manifest.json")
