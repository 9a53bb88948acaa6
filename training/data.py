"""What a run is given: the records of a step directory or a release, every byte verified, and the rows held out."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from schemas.errors import InputError
from schemas.manifest import FileDigest, Manifest, differences, digest_file
from schemas.record import InstructionRecord
from schemas.step import MANIFEST, StepDirectory, is_step, read_manifest

RELEASE = "release"
"""The stage whose rows are in Parquet files."""
TRAIN_ROWS = "data/train"
"""What the paths of a release's training rows begin with."""
COLUMNS = ("id", "instruction", "context", "response", "category")

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingData:
    """Records, and the digests that say which."""

    path: Path
    stage: str
    """Of the step that wrote them."""
    fingerprint: str
    """Of that step."""
    manifest_sha256: str
    files: tuple[FileDigest, ...]
    """The files the records stood in."""
    records: tuple[InstructionRecord, ...]

    @property
    def inputs(self) -> tuple[FileDigest, ...]:
        """The files as inputs of the run, named by where they stand."""
        return tuple(replace(file, path=str((self.path / file.path).resolve())) for file in self.files)


def open_data(path: Path) -> TrainingData:
    """Read the records at `path` after verifying every byte against its manifest.

    Raises:
        InputError: nothing there, something else, a changed byte, or no records at all.
    """
    if not is_step(path):
        raise InputError(place=path, expected="a step directory or a release", found=_what(path))
    manifest = read_manifest(path)
    data = _release(path, manifest) if manifest.stage == RELEASE else _step(path)
    if not data.records:
        raise InputError(place=path, expected="at least one record to train on", found="none")
    return data


def hold_out(items: Sequence[Item], count: int, seed: int) -> tuple[list[Item], list[Item]]:
    """Split into (to train on, held out) by the seed alone; both keep the order of `items`."""
    drawn = frozenset(random.Random(f"held out/{seed}").sample(range(len(items)), count))  # noqa: S311  # not a secret
    kept = [item for place, item in enumerate(items) if place not in drawn]
    return kept, [items[place] for place in sorted(drawn)]


def _what(path: Path) -> str:
    if not path.exists():
        return "nothing"
    return f"something else: dolly-data validate {path} -o DIR makes one"


def _step(path: Path) -> TrainingData:
    step = StepDirectory.open(path)
    return _data(path, step.manifest, (step.records_file,), step.records())


def _release(path: Path, manifest: Manifest) -> TrainingData:
    if wrong := differences(path, manifest.outputs):
        raise InputError("; ".join(wrong))
    files = tuple(file for file in manifest.outputs if _holds_rows(file.path))
    if not files:
        raise InputError(place=path, field=MANIFEST, expected=f"{TRAIN_ROWS}-….parquet", found="no such output")
    return _data(path, manifest, files, (record for file in files for record in _parquet(path / file.path)))


def _holds_rows(name: str) -> bool:
    return name.startswith(TRAIN_ROWS) and name.endswith(".parquet")


def _data(
    path: Path, manifest: Manifest, files: tuple[FileDigest, ...], records: Iterator[InstructionRecord]
) -> TrainingData:
    return TrainingData(
        path=path,
        stage=manifest.stage,
        fingerprint=manifest.fingerprint,
        manifest_sha256=digest_file(path / MANIFEST).sha256,
        files=files,
        records=tuple(records),
    )


def _parquet(path: Path) -> Iterator[InstructionRecord]:
    from pyarrow import ArrowException, parquet  # noqa: PLC0415  # a step directory needs no Arrow

    try:
        rows = parquet.read_table(path, columns=list(COLUMNS)).to_pylist()
    except (ArrowException, KeyError) as error:
        raise InputError(place=path, expected=f"columns {', '.join(COLUMNS)}", found=str(error)) from error
    for number, row in enumerate(rows, 1):
        yield _record(row, f"{path}:{number}")


def _record(row: dict[str, Any], place: str) -> InstructionRecord:
    record = InstructionRecord(
        instruction=row["instruction"],
        context=row["context"] or "",
        response=row["response"],
        category=row["category"] or "",
    )
    if record.id != row["id"]:
        raise InputError(place=place, field="id", expected=record.id, found=str(row["id"]))
    return record
