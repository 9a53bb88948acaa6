"""What a run is given: the records of a step directory or a release, every byte verified, and the rows held out."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from schemas.directory import MANIFEST, read_manifest
from schemas.errors import GateError, InputError
from schemas.manifest import FileDigest, Manifest, digest_file
from schemas.record import InstructionRecord
from schemas.release import GateRecord, ReleaseFacts, RowsDigest
from schemas.sealed import RELEASE, open_release
from schemas.step import StepDirectory, is_step

TRAIN_ROWS = "data/train"
"""What the paths of a release's training rows begin with."""
COLUMNS = ("id", "instruction", "context", "response", "category")
BATCH = 10_000
"""Rows that are read at once."""
NO_GATE = GateRecord(sentence="These are records of a step; only a release says whether people looked at them.")

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
    release: ReleaseFacts | None = None
    """What the release says of itself; None for a step."""

    @property
    def inputs(self) -> tuple[FileDigest, ...]:
        """The files as inputs of the run, named by where they stand; of a release its manifest too, which names it."""
        files = tuple(replace(file, path=str((self.path / file.path).resolve())) for file in self.files)
        return (*files, digest_file(self.path / MANIFEST)) if self.release else files

    @property
    def gate(self) -> GateRecord:
        """Whether people looked at these records by a plan, and what came of it."""
        return self.release.gate if self.release else NO_GATE


def open_data(path: Path) -> TrainingData:
    """Read the records at `path` after verifying every byte against its manifest.

    Raises:
        InputError: nothing there, something else, a changed byte, or no records at all.
    """
    if not is_step(path):
        raise InputError(place=path, expected="a step directory or a release", found=_what(path))
    manifest = read_manifest(path)
    data = _release(path) if manifest.stage == RELEASE else _step(path)
    if not data.records:
        raise InputError(place=path, expected="at least one record to train on", found="none")
    return data


def check_gate(data: TrainingData, *, allow_ungated: bool = False, pin: str = "") -> None:
    """Refuse a release that people have not passed, and one that is not the one that is meant.

    Records of a step have no gate: they are on their way to a release, and the run record says so.

    Raises:
        GateError: the review was not passed, and that was not allowed.
        InputError: the manifest is not the one whose sha256 was given.
    """
    if pin and pin != data.manifest_sha256:
        raise InputError(place=data.path / MANIFEST, field="sha256", expected=pin, found=data.manifest_sha256)
    if data.release and data.gate.state != "passed" and not allow_ungated:
        raise GateError(
            f"{data.path}: gate {data.gate.state}: {data.gate.sentence} To train on it all the same, and have the "
            "checkpoint say so: --allow-ungated"
        )


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


def _release(path: Path) -> TrainingData:
    manifest = open_release(path)
    files = tuple(file for file in manifest.outputs if _holds_rows(file.path))
    if not files:
        raise InputError(place=path, field=MANIFEST, expected=f"{TRAIN_ROWS}-….parquet", found="no such output")
    digest = RowsDigest()
    data = _data(path, manifest, files, (record for file in files for record in _parquet(path / file.path, digest)))
    _check_rows(path, manifest.release, digest)
    return data


def _check_rows(path: Path, facts: ReleaseFacts | None, digest: RowsDigest) -> None:
    """Refuse rows that are not those the release says, whatever its files' sums say."""
    if facts is None or (facts.rows, facts.digest) != (len(digest), digest.hexdigest()):
        said = f"{facts.rows} rows, digest {facts.digest}" if facts else "rows and their digest"
        raise InputError(place=path, expected=said, found=f"{len(digest)} rows, digest {digest.hexdigest()}")


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
        release=manifest.release,
    )


def _parquet(path: Path, digest: RowsDigest) -> Iterator[InstructionRecord]:
    from pyarrow import ArrowException, parquet  # noqa: PLC0415  # a step directory needs no Arrow

    number = 0
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(BATCH):
                rows = batch.to_pylist()
                digest.add(rows)
                for row in rows:
                    number += 1
                    yield _record(row, f"{path}:{number}")
    except (ArrowException, KeyError) as error:
        raise InputError(place=path, expected=f"columns {', '.join(COLUMNS)}", found=str(error)) from error


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
