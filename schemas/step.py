"""The step directory: the only code that reads, writes, counts and hashes one.

    DIR/
      records.jsonl    the kept records, one a line
      rejected.jsonl   the rejected rows with their reasons
      NAME.jsonl       what the stage left beside its outcomes, if anything
      manifest.json    written last

It is written into a temporary sibling and renamed, so DIR is never half of a step. A lock on a sibling file keeps two
processes from writing the same DIR; it is the kernel's, so a killed process leaves nothing to clean up.
"""

import errno
import fcntl
import hashlib
import os
import platform
import resource
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import IO, Any, Self, TypeAlias

import orjson

from schemas.codec import adapter, as_config, dumps, loads, read_record, read_rejection
from schemas.errors import DollyError, InputError
from schemas.manifest import Counts, FileDigest, Manifest, differences, fingerprint
from schemas.outcome import SILENT, Aside, Outcome, Rejection, Watches
from schemas.record import InstructionRecord, Row
from schemas.tally import Tally
from schemas.written import Written, written

RECORDS, REJECTED, MANIFEST = "records.jsonl", "rejected.jsonl", "manifest.json"

Filled: TypeAlias = tuple[tuple[FileDigest, ...], Counts]
"""What was written into a draft: every file's digest, and the counts."""


@dataclass(frozen=True, slots=True)
class StepDirectory:
    """A finished step on disk; every read is of bytes that were checked against its manifest."""

    path: Path
    manifest: Manifest

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a finished step and verify every byte of it.

        Raises:
            InputError: no manifest, or a file that is not what the manifest says.
        """
        step = cls.peek(path)
        if wrong := differences(path, step.manifest.outputs):
            raise InputError("; ".join(wrong))
        return step

    @classmethod
    def peek(cls, path: Path) -> Self:
        """Open a finished step without reading its data, to show its counts or to compare fingerprints."""
        return cls(path, read_manifest(path))

    @property
    def records_file(self) -> FileDigest:
        """Digest of the kept records: what the next step's fingerprint names as its input."""
        found = self.manifest.output(RECORDS)
        if found is None:
            raise InputError(place=self.path, field=MANIFEST, expected=RECORDS, found="no such output")
        return found

    def records(self) -> Iterator[InstructionRecord]:
        """Yield the kept records in order."""
        for number, line in _lines(self.path / RECORDS):
            yield read_record(line, f"{self.path / RECORDS}:{number}")

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield the kept records as they are written, each with its number from 1."""
        return _lines(self.path / RECORDS)

    def rejections(self) -> Iterator[Rejection]:
        """Yield the rejected rows in order."""
        for number, line in _lines(self.path / REJECTED):
            yield read_rejection(line, f"{self.path / REJECTED}:{number}")

    def rows(self, name: str) -> Iterator[Row]:
        """Yield what the stage left in `NAME.jsonl`; nothing if it left none."""
        path = self.path / f"{name}.jsonl"
        if path.is_file():
            for _, line in _lines(path):
                yield loads(line)

    def input_paths(self) -> list[Path]:
        """Return where the inputs stood: relative names count from this directory."""
        return [(self.path / one.path).resolve() for one in self.manifest.inputs]


def is_step(path: Path) -> bool:
    """Say whether a finished step (or release) stands here."""
    return (path / MANIFEST).is_file()


def read_manifest(path: Path) -> Manifest:
    """Read a directory's manifest.

    Raises:
        InputError: none there, or not one of ours.
    """
    file = path / MANIFEST
    if not file.is_file():
        raise InputError(place=path, expected=f"a finished step with a {MANIFEST}", found="none")
    try:
        manifest: Manifest = adapter(Manifest).validate_json(file.read_bytes())
    except ValueError as error:
        raise InputError(place=file, expected="a manifest of this tool", found=str(error).splitlines()[0]) from error
    return manifest


def write_step(
    path: Path,
    work: Any,
    outcomes: Callable[[Aside], Iterable[Outcome | Written]],
    *,
    inputs: Iterable[FileDigest] = (),
    force: bool = False,
    aside: Aside = SILENT,
) -> tuple[StepDirectory, bool]:
    """Run `outcomes` into the step directory `path`, or reuse what stands there.

    `work` is the stage or source: it gives the name and the settings. Returns the step and whether it was reused: a
    complete step with the same fingerprint whose bytes verify is not done again unless `force`.

    Raises:
        InputError: `path` holds something that is not a step of this stage, or another process is writing it.
        DollyError: the disk is full; nothing half-written is left at `path`.
    """

    def fill(draft: Path) -> Filled:
        with _Writer(draft, aside) as writer:
            for outcome in outcomes(writer):
                writer.write(outcome)
        return writer.digests(), writer.counts()

    manifest, reused = write_directory(path, work, fill, inputs=inputs, force=force)
    return StepDirectory(path, manifest), reused


def write_directory(
    path: Path,
    work: Any,
    fill: Callable[[Path], Filled],
    *,
    inputs: Iterable[FileDigest] = (),
    force: bool = False,
    seal: Callable[[Path, Manifest], Manifest] = lambda _, manifest: manifest,
) -> tuple[Manifest, bool]:
    """Let `fill` write a directory's files into a draft, then publish it under `path`, or reuse what stands there.

    `seal` gets the draft and its manifest, and may complete both before they are published.

    Raises:
        InputError: `path` holds an input or something that is not of this stage, or another process is writing it.
        DollyError: the disk is full; nothing half-written is left at `path`.
    """
    inputs, config = tuple(inputs), as_config(work)
    identity = fingerprint(work.name, config, inputs)
    _refuse_input(path, inputs)
    with _locked(path):
        if (done := _reusable(path, work.name, identity, force=force)) is not None:
            return done.manifest, True
        draft = path.parent / f".{path.name}.writing"
        shutil.rmtree(draft, ignore_errors=True)
        try:
            draft.mkdir(parents=True)
            started = time.monotonic()
            outputs, counts = fill(draft)
            manifest = Manifest(
                stage=work.name,
                config=config,
                inputs=tuple(_as_seen_from(path, one) for one in inputs),
                outputs=outputs,
                counts=counts,
                fingerprint=identity,
                recorded=recorded(time.monotonic() - started),
            )
            manifest = seal(draft, manifest)
            publish(draft, path, manifest)
        except OSError as error:
            raise _disk_error(error, path) from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return manifest, False


def publish(draft: Path, path: Path, manifest: Manifest) -> None:
    """Write the manifest as the last file of `draft`, flush everything to disk, and put it at `path` by renaming."""
    for file in draft.rglob("*"):
        _flush(file)
    (draft / MANIFEST).write_bytes(manifest_json(manifest))
    _flush(draft / MANIFEST)
    old = path.parent / f".{path.name}.old"
    shutil.rmtree(old, ignore_errors=True)
    if path.exists():
        path.rename(old)
    draft.rename(path)
    _flush(path.parent)
    shutil.rmtree(old, ignore_errors=True)


def manifest_json(manifest: Manifest) -> bytes:
    """Return the manifest as it stands on disk."""
    row = asdict(manifest)
    if manifest.release is None:
        del row["release"]
    return orjson.dumps(row, option=orjson.OPT_INDENT_2) + b"\n"


def recorded(seconds: float) -> dict[str, Any]:
    """Return what is written down for people and never part of an identity."""
    return {
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "seconds": round(seconds, 2),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "version": version(),
    }


def version() -> str:
    """Return this program's version, or `unknown` when it runs without being installed."""
    try:
        return metadata.version("dolly-instruct")
    except metadata.PackageNotFoundError:
        return "unknown"


def step_input(step: StepDirectory) -> FileDigest:
    """Return a step as the input of the next one."""
    return replace(step.records_file, path=str((step.path / RECORDS).resolve()))


class _Writer:
    """Splits outcomes into the two files, counting and hashing as it writes. Also the stage's aside."""

    def __init__(self, draft: Path, aside: Aside) -> None:
        self._draft, self._aside = draft, aside
        self._files: dict[str, _HashedFile] = {}
        self._tally = Tally()

    def __enter__(self) -> Self:
        for name in (RECORDS, REJECTED):
            self._files[name] = _HashedFile((self._draft / name).open("wb"))
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()

    def write(self, outcome: Outcome | Written) -> None:
        some = outcome if isinstance(outcome, Written) else written((outcome,))
        self._tally.merge(some.tally)
        for name, lines in ((RECORDS, some.records), (REJECTED, some.rejected)):
            for line in lines:
                self._files[name].write(line)

    def leave(self, name: str, row: Mapping[str, Any]) -> None:
        file = f"{name}.jsonl"
        if file not in self._files:
            self._files[file] = _HashedFile((self._draft / file).open("wb"))
        self._files[file].write(dumps(row) + b"\n")

    def progress(self, what: str, done: int, total: int | None = None, note: str = "") -> None:
        self._aside.progress(what, done, total, note)

    def watch(self, view: Mapping[str, Any]) -> None:
        """Pass on how it stands, to whoever wants to know."""
        if isinstance(self._aside, Watches):
            self._aside.watch(view)

    def counts(self) -> Counts:
        return self._tally.counts()

    def digests(self) -> tuple[FileDigest, ...]:
        return tuple(file.digest(name) for name, file in self._files.items())


class _HashedFile:
    """A file that is hashed and counted while it is written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._sha, self._size, self.rows = file, hashlib.sha256(), 0, 0

    def write(self, line: bytes) -> None:
        self._file.write(line)
        self._sha.update(line)
        self._size += len(line)
        self.rows += 1

    def close(self) -> None:
        self._file.close()

    def digest(self, name: str) -> FileDigest:
        return FileDigest(path=name, bytes=self._size, sha256=self._sha.hexdigest(), rows=self.rows)


def _refuse_input(path: Path, inputs: Iterable[FileDigest]) -> None:
    """Refuse to write over what is being read."""
    for one in inputs:
        if Path(one.path).resolve().is_relative_to(path.resolve()):
            raise InputError(place=path, expected="a directory other than its input's", found=one.path)


def _reusable(path: Path, stage: str, identity: str, *, force: bool) -> StepDirectory | None:
    """Return the step at `path` if it need not be done again; refuse to replace what is not ours."""
    if not path.exists():
        return None
    if not is_step(path):
        if path.is_dir() and not any(path.iterdir()):
            return None
        raise InputError(
            place=path, expected="a new directory or a step of this tool", found="something else; it is left alone"
        )
    step = StepDirectory.peek(path)
    if force:
        return None
    if step.manifest.stage != stage:
        raise InputError(
            place=path,
            expected=f"a new directory or a {stage} step",
            found=f"a {step.manifest.stage} step (--force replaces it)",
        )
    unchanged = step.manifest.fingerprint == identity and not differences(path, step.manifest.outputs)
    return step if unchanged else None


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the kernel's lock on a sibling file; it goes when the process goes, however it goes."""
    lock = path.parent / f".{path.name}.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = lock.open("w")
    except OSError as error:
        raise _disk_error(error, path) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError(place=path, expected="one writer", found="another process is writing it") from error
        yield


def _as_seen_from(path: Path, file: FileDigest) -> FileDigest:
    """Name an input relative to the step where both stand in one run folder, so that the folder can be moved."""
    base = path.parent.resolve()
    if Path(file.path).is_absolute() and Path(file.path).is_relative_to(base):
        return replace(file, path=os.path.relpath(file.path, path.resolve()))
    return file


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as file:
        yield from enumerate(file, 1)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _disk_error(error: OSError, path: Path) -> DollyError:
    if error.errno == errno.ENOSPC:
        return DollyError(f"{path}: no space left on the disk; nothing was left half-written, free some and run again")
    return DollyError(f"{path}: {error.strerror or error}")
