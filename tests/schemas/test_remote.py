"""Inputs at an address are read as files are."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from curation.pipeline import run_source
from curation.sources import Validate
from schemas.errors import InputError

ROW = b'{"instruction": "Name a river.", "input": "", "output": "%s"}\n'


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A store in memory, and a cache folder of its own."""
    monkeypatch.setattr("schemas.remote.cache_folder", lambda: tmp_path / "cache")
    memory = fsspec.filesystem("memory")
    memory.pipe({"/set/a.jsonl": ROW % b"Rhine.", "/set/more/b.jsonl": ROW % b"Elbe."})
    yield memory
    memory.rm("/set", recursive=True)


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("address", "said"), [("memory://set", ["Rhine.", "Elbe."]), ("memory://set/a.jsonl", ["Rhine."])]
)
def test_a_file_and_a_folder_are_read(address: str, said: list[str], tmp_path: Path) -> None:
    """In the order of their names, and records know the file that they stood in."""
    step = run_source(Validate(source=address), tmp_path / "out").step

    assert [record.response for record in step.records()] == said
    assert next(step.records()).provenance.source == "a.jsonl"


def test_a_file_has_the_identity_of_its_bytes(tmp_path: Path, store: Any) -> None:
    """The same as from a path; and what has changed at the address is fetched again."""
    here = tmp_path / "a.jsonl"
    here.write_bytes(ROW % b"Rhine.")
    by_path, by_file = (Validate(source=source) for source in (str(here), f"file://{here}"))
    before = Validate(source="memory://set/a.jsonl").inputs()

    store.pipe("/set/a.jsonl", ROW % b"Oder.")
    after = Validate(source="memory://set/a.jsonl").inputs()

    assert by_path.inputs()[0].sha256 == by_file.inputs()[0].sha256 == before[0].sha256
    assert after[0].sha256 != before[0].sha256


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("address", ["memory://elsewhere", "nothing-known://set"])
def test_what_cannot_be_read_is_said(address: str) -> None:
    """A message names the address."""
    with pytest.raises(InputError, match=address):
        Validate(source=address).inputs()
