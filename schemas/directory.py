"""A directory that is written whole or not at all: steps, releases, checkpoints and whatever else has a manifest.

It is written into a temporary sibling and renamed, its manifest last, so it is never half of itself. A lock on another
sibling keeps two processes from writing the same one; it is the kernel's, and a killed process leaves none behind.
"""

import errno
import fcntl
import os
import platform
import resource
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from importlib import metadata
from pathlib import Path
from typing import Any, TypeAlias

import orjson

from schemas.codec import adapter, as_config
from schemas.errors import DollyError, InputError
from schemas.manifest import Counts, FileDigest, Manifest, changes, fingerprint
from schemas.unfinished import JOURNAL

MANIFEST = "manifest.json"

Filled: TypeAlias = tuple[tuple[FileDigest, ...], Counts]
"""What was written into a draft: every file's digest, and the counts."""


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


def write_directory(
    path: Path,
    work: Any,
    fill: Callable[[Path], Filled],
    *,
    inputs: Iterable[FileDigest] = (),
    force: bool = False,
    seal: Callable[[Path, Manifest], Manifest] = lambda _, manifest: manifest,
    resumes: bool = False,
) -> tuple[Manifest, bool]:
    """Let `fill` write a directory's files into a draft, then publish it under `path`, or reuse what stands there.

    `seal` gets the draft and its manifest, and may complete both before they are published. With `resumes`, `fill` gets
    the draft of work that was stopped as it left it, where that has a journal; `force` begins again.

    Raises:
        InputError: `path` holds an input or something that is not of this stage, or another process is writing it.
        DollyError: the disk is full; nothing half-written is left at `path`.
    """
    inputs, config = tuple(inputs), as_config(work)
    identity = fingerprint(work.name, config, inputs)
    _refuse_input(path, inputs)
    with _locked(path):
        if (done := _reusable(path, work.name, identity, force=force)) is not None:
            return done, True
        draft = path.parent / f".{path.name}.writing"
        if force or not resumes:
            shutil.rmtree(draft, ignore_errors=True)
        try:
            draft.mkdir(parents=True, exist_ok=True)
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
            raise _disk_error(error, path, kept=(draft / JOURNAL).exists()) from error
        finally:
            if not (draft / JOURNAL).exists():
                shutil.rmtree(draft, ignore_errors=True)
    return manifest, False


def publish(draft: Path, path: Path, manifest: Manifest) -> None:
    """Write the manifest as the last file of `draft`, flush everything to disk, and put it at `path` by renaming."""
    for file in draft.rglob("*"):
        _flush(file)
    (draft / MANIFEST).write_bytes(manifest_json(manifest))
    _flush(draft / MANIFEST)
    (draft / JOURNAL).unlink(missing_ok=True)
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
    for name in ("release", "parts"):
        if not row[name]:
            del row[name]
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


def _refuse_input(path: Path, inputs: Iterable[FileDigest]) -> None:
    """Refuse to write over what is being read."""
    for one in inputs:
        if Path(one.path).resolve().is_relative_to(path.resolve()):
            raise InputError(place=path, expected="a directory other than its input's", found=one.path)


def _reusable(path: Path, stage: str, identity: str, *, force: bool) -> Manifest | None:
    """Return the manifest at `path` if its work need not be done again; refuse to replace what is not ours."""
    if not path.exists():
        return None
    if not (path / MANIFEST).is_file():
        if path.is_dir() and not any(path.iterdir()):
            return None
        raise InputError(
            place=path, expected="a new directory or a step of this tool", found="something else; it is left alone"
        )
    manifest = read_manifest(path)
    if force:
        return None
    if manifest.stage != stage:
        raise InputError(
            place=path,
            expected=f"a new directory or a {stage} step",
            found=f"a {manifest.stage} step (--force replaces it)",
        )
    unchanged = manifest.fingerprint == identity and not changes(path, manifest)
    return manifest if unchanged else None


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


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _disk_error(error: OSError, path: Path, *, kept: bool = False) -> DollyError:
    full = error.errno == errno.ENOSPC
    said = "no space left on the disk" if full else error.strerror or str(error)
    left = "finished shards are kept, and the same command goes on from them" if kept else ""
    left = left or ("nothing was left half-written, free some and run again" if full else "")
    return DollyError("; ".join(part for part in (f"{path}: {said}", left) if part))
