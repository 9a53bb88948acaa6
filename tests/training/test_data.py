"""Only bytes that a manifest vouches for are trained on."""

import json
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from schemas.errors import InputError
from schemas.manifest import Counts, Manifest, digest_file
from schemas.record import InstructionRecord
from tests.support import pair, step_of
from training.data import hold_out, open_data

RECORDS = [pair("Name a colour.", "Red."), pair("Add.", "5", "two and three", category="closed_qa")]


def release_of(path: Path, records: list[InstructionRecord], **changes: object) -> Path:
    """Write a release in the shape that training reads: Parquet and a manifest."""
    rows = [
        {"id": one.id, **{name: getattr(one, name) for name in ("instruction", "context", "response", "category")}}
        for one in records
    ]
    (path / "data").mkdir(parents=True)
    file = path / "data" / "train-00000-of-00001.parquet"
    parquet.write_table(pa.Table.from_pylist([{**row, **changes} for row in rows]), file)
    outputs = (digest_file(file, "data/train-00000-of-00001.parquet", len(rows)),)
    manifest = Manifest(
        stage="release", config={}, inputs=(), outputs=outputs, counts=Counts(rows=len(rows)), fingerprint="f" * 64
    )
    (path / "manifest.json").write_text(json.dumps(asdict(manifest)))
    return path


def test_a_step_directory_is_read(tmp_path: Path) -> None:
    """Its records in order, with the digests that say which."""
    step = step_of(tmp_path / "step", RECORDS)

    data = open_data(step.path)

    assert list(data.records) == RECORDS
    assert data.fingerprint == step.manifest.fingerprint
    assert data.files == (step.records_file,)
    assert data.manifest_sha256 == digest_file(step.path / "manifest.json").sha256


def test_a_release_is_read(tmp_path: Path) -> None:
    """Its Parquet rows as records."""
    data = open_data(release_of(tmp_path / "release", RECORDS))

    assert list(data.records) == RECORDS
    assert data.stage == "release"


@pytest.mark.parametrize("name", ["records.jsonl", "rejected.jsonl"])
def test_a_changed_byte_is_refused(tmp_path: Path, name: str) -> None:
    """In any file of the step."""
    step = step_of(tmp_path / "step", RECORDS)
    with (step.path / name).open("ab") as file:
        file.write(b" ")

    with pytest.raises(InputError, match=name):
        open_data(step.path)


def test_a_changed_byte_in_a_release_is_refused(tmp_path: Path) -> None:
    """The same size and still Parquet: only the digest tells."""
    release = release_of(tmp_path / "release", RECORDS)
    file = next(release.glob("data/*.parquet"))
    file.write_bytes(file.read_bytes().replace(b"Red.", b"Rod."))

    with pytest.raises(InputError, match="not those the manifest was written for"):
        open_data(release)


def test_a_release_whose_ids_are_not_its_contents_is_refused(tmp_path: Path) -> None:
    """Even where the manifest vouches for it."""
    with pytest.raises(InputError, match="id"):
        open_data(release_of(tmp_path / "release", RECORDS, response="Another."))


def test_empty_data_is_refused(tmp_path: Path) -> None:
    """There is nothing to train on."""
    with pytest.raises(InputError, match="at least one record"):
        open_data(step_of(tmp_path / "step", []).path)


def test_a_folder_that_is_no_step_says_how_to_make_one(tmp_path: Path) -> None:
    """The wrong folder is the commonest mistake."""
    (tmp_path / "rows.jsonl").write_text("{}")

    with pytest.raises(InputError, match="dolly-data validate"):
        open_data(tmp_path)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    """Naming it."""
    with pytest.raises(InputError, match="nowhere"):
        open_data(tmp_path / "nowhere")


@given(st.lists(st.integers(), max_size=30), st.integers(), st.data())
def test_holding_out_is_a_split(items: list[int], seed: int, data: st.DataObject) -> None:
    """Nothing is lost or doubled, both parts keep their order, and the seed alone decides."""
    count = data.draw(st.integers(0, len(items)))
    numbered = list(enumerate(items))

    training, held_out = hold_out(numbered, count, seed)

    assert len(held_out) == count
    assert sorted([*training, *held_out]) == numbered
    assert training == sorted(training)
    assert held_out == sorted(held_out)
    assert hold_out(numbered, count, seed) == (training, held_out)
