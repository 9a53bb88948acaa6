"""Mirrors of steps at an address: fetched once however many ask, over HTTP, too, and known by their address."""

import json
import multiprocessing
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.local import LocalFileSystem

from schemas.errors import InputError
from schemas.mirror import address_of, fetch_step, here, mirror_of
from schemas.step import StepDirectory
from tests.support import pair, step_of

SOME = [pair(f"Name {number}.", f"It is {number}.") for number in range(50)]


@pytest.fixture
def step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StepDirectory:
    """A step, and a cache folder of its own."""
    monkeypatch.setenv("DOLLY_CACHE", str(tmp_path / "cache"))
    return step_of(tmp_path / "runs" / "1-in", SOME)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The address of a web server for the folder of the test; it lists nothing."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def list_directory(self, path: Any) -> Any:
            """Refuse to list a folder."""
            return self.send_error(403)

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_step_is_read_over_http(step: StepDirectory, served: str) -> None:
    """Every byte as its manifest says, also from a server that lists nothing; one that is not there is said."""
    mirror = fetch_step(f"{served}/runs/1-in")

    assert list(StepDirectory.open(mirror).records()) == SOME
    with pytest.raises(InputError, match=f"{served}/runs/none: expected a finished step"):
        fetch_step(f"{served}/runs/none")
    assert step.path != mirror


def test_a_manifest_on_the_web_writes_nothing_beside_the_mirror(
    step: StepDirectory, served: str, tmp_path: Path
) -> None:
    """Whoever serves a step chooses the names in its manifest, and where nothing of it is to be written."""
    outside = tmp_path / "cache" / "outside.jsonl"
    for name in ("../../../outside.jsonl", str(outside)):
        manifest = json.loads((step.path / "manifest.json").read_bytes())
        manifest["outputs"][0]["path"] = name
        there = tmp_path / "runs" / "foreign"
        shutil.rmtree(there, ignore_errors=True)
        there.mkdir()
        (there / "manifest.json").write_text(json.dumps(manifest))
        (tmp_path / "outside.jsonl").write_text("theirs")
        with pytest.raises(InputError):
            fetch_step(f"{served}/runs/foreign")
        assert not outside.exists()
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.name.startswith("outside")]


def test_processes_that_ask_at_once_fetch_once(step: StepDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the ranks of a machine do; each reads the whole step."""
    address, log = f"file://{step.path}", step.path.parent / "fetched"
    get_file = LocalFileSystem.get_file

    def noted(*words: object, **more: object) -> object:
        with log.open("a") as file:
            file.write("one\n")
        return get_file(*words, **more)

    monkeypatch.setattr(LocalFileSystem, "get_file", noted)
    with multiprocessing.get_context("fork").Pool(4) as pool:
        read = pool.map(_records_at, [address] * 4, chunksize=1)

    assert read == [len(SOME)] * 4
    files = [file for file in step.path.iterdir() if file.is_file()]
    assert len(log.read_text().splitlines()) == len(files)


def _records_at(address: str) -> int:
    return len(list(StepDirectory.open(fetch_step(address)).records()))


def test_what_was_changed_at_the_address_is_fetched_again(step: StepDirectory) -> None:
    """By its manifest, which names every byte."""
    address = f"file://{step.path}"
    fetch_step(address)
    shutil.rmtree(step.path)
    step_of(step.path, SOME[:3])

    assert _records_at(address) == 3


def test_a_mirror_knows_its_address(step: StepDirectory) -> None:
    """For messages and other machines; a path is its own."""
    address = f"file://{step.path}"

    assert address_of(fetch_step(address)) == address
    assert address_of(mirror_of("s3://other/place")) == str(mirror_of("s3://other/place"))
    assert address_of(step.path) == str(step.path)


def test_a_place_is_a_path_or_an_address_of_a_step_or_of_files(step: StepDirectory) -> None:
    """All become paths of this machine."""
    (step.path.parent / "rows.jsonl").write_bytes(b"{}\n")

    assert here(step.path) == step.path
    assert here(f"file://{step.path}") == mirror_of(f"file://{step.path}")
    assert here(f"file://{step.path.parent}/rows.jsonl").read_bytes() == b"{}\n"
    with pytest.raises(InputError, match="expected a file or a folder of files, found nothing"):
        here(f"file://{step.path.parent}/none")
