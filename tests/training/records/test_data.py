"""Only bytes that a manifest vouches for are trained on."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from schemas.directory import manifest_json, read_manifest
from schemas.errors import GateError, InputError
from schemas.manifest import Counts, Manifest, digest_file
from schemas.record import InstructionRecord
from schemas.release import GateRecord, GateState, ReleaseFacts, RowsDigest
from schemas.sealed import checksums
from tests.support import pair, step_of
from training.records.data import check_gate, hold_out, open_data

PASSED = GateRecord(state="passed", sentence="At most 2 %.")
RECORDS = [pair("Name a colour.", "Red."), pair("Add.", "5", "two and three", category="closed_qa")]


def release_of(path: Path, records: list[InstructionRecord], gate: GateRecord = PASSED, **changes: object) -> Path:
    """Write a release in the shape that training reads: Parquet, a manifest and checksums."""
    rows = [
        {"id": one.id, **{name: getattr(one, name) for name in ("instruction", "context", "response", "category")}}
        for one in records
    ]
    (path / "data").mkdir(parents=True)
    file = path / "data" / "train-00000-of-00001.parquet"
    table = pa.Table.from_pylist([{**row, **changes} for row in rows])
    parquet.write_table(table, file)
    digest = RowsDigest()
    digest.add(table.to_pylist())
    facts = ReleaseFacts(
        title="Colours",
        version="1.0.0",
        license="",
        rows=len(rows),
        columns=tuple(table.column_names),
        digest=digest.hexdigest(),
        gate=gate,
    )
    outputs = (digest_file(file, "data/train-00000-of-00001.parquet", len(rows)),)
    manifest = Manifest(
        stage="release",
        config={},
        inputs=(),
        outputs=outputs,
        counts=Counts(rows=len(rows)),
        fingerprint="f" * 64,
        release=facts,
    )
    return seal(path, manifest)


def seal(path: Path, manifest: Manifest) -> Path:
    """Write the manifest and the checksums over all."""
    (path / "manifest.json").write_bytes(manifest_json(manifest))
    named = digest_file(path / "manifest.json", "manifest.json")
    (path / "SHA256SUMS").write_bytes(checksums((*manifest.outputs, named)))
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


def test_one_changed_byte_anywhere_in_a_release_is_refused(tmp_path: Path) -> None:
    """In the rows, the manifest or the checksums; as it was, it is read."""
    release = release_of(tmp_path / "release", RECORDS)

    for file in sorted(path for path in release.rglob("*") if path.is_file()):
        whole = file.read_bytes()
        for place in range(0, len(whole), max(1, len(whole) // 40)):
            file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            with pytest.raises(InputError):
                open_data(release)
        file.write_bytes(whole)

    assert list(open_data(release).records) == RECORDS


def test_rows_that_are_not_those_the_release_names_are_refused(tmp_path: Path) -> None:
    """Even where somebody made the manifest and all sums anew."""
    release = release_of(tmp_path / "release", RECORDS)
    manifest = read_manifest(release)
    file = release / manifest.outputs[0].path
    parquet.write_table(parquet.read_table(file).slice(0, 1), file)

    seal(release, replace(manifest, outputs=(digest_file(file, manifest.outputs[0].path, 1),)))

    with pytest.raises(InputError, match="expected 2 rows, digest"):
        open_data(release)


def test_a_release_that_was_written_anew_is_the_same_rows(tmp_path: Path) -> None:
    """The digest survives another order, compression and row groups."""
    release = release_of(tmp_path / "release", RECORDS)
    manifest = read_manifest(release)
    file = release / manifest.outputs[0].path
    backwards = parquet.read_table(file).take([1, 0])
    parquet.write_table(backwards, file, compression="gzip", row_group_size=1)

    seal(release, replace(manifest, outputs=(digest_file(file, manifest.outputs[0].path, 2),)))

    assert list(open_data(release).records) == RECORDS[::-1]


@pytest.mark.parametrize("state", ["none", "open", "failed"])
def test_an_ungated_release_has_to_be_allowed(tmp_path: Path, state: GateState) -> None:
    """By name; a passed one and the records of a step need no leave."""
    data = open_data(release_of(tmp_path / "release", RECORDS, GateRecord(state=state, sentence="Nobody looked.")))
    passed = open_data(release_of(tmp_path / "passed", RECORDS))
    step = open_data(step_of(tmp_path / "step", RECORDS).path)

    with pytest.raises(GateError, match=r"Nobody looked\. .*--allow-ungated") as refused:
        check_gate(data)

    assert refused.value.exit_code == 6
    check_gate(data, allow_ungated=True)
    check_gate(passed)
    check_gate(step)
    assert step.gate.state == "none"


def test_a_pin_names_the_release_that_is_meant(tmp_path: Path) -> None:
    """By the sha256 of its manifest."""
    data = open_data(release_of(tmp_path / "release", RECORDS))

    check_gate(data, pin=data.manifest_sha256)
    with pytest.raises(InputError, match="sha256"):
        check_gate(data, pin="0" * 64)


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
