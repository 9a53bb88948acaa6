"""Which bytes came in, which stage and settings, which bytes went out, and the counts.

The fingerprint is the identity of a step. What is part of it and what is only recorded:

| part of the identity              | recorded, not identity: the result must not depend on it |
|-----------------------------------|-----------------------------------------------------------|
| scheme version, stage             | time, seconds, host, versions, peak memory                |
| settings (`config`)               | settings marked `identity: False` (batch size, device)    |
| sha256 of every input, in order   | paths of the inputs                                       |

A sampled model is not reproducible: there the fingerprint names the request, and the digest of `records.jsonl` the
result.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schemas.codec import sha256_of
from schemas.release import ReleaseFacts

SCHEME = 1
"""Raised when the meaning of a step directory changes; part of every fingerprint."""

CHUNK = 1 << 20
"""Bytes read at a time for hashing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDigest:
    """One file's name, size, hash, and how many rows it holds."""

    path: str
    """Relative to the directory of the manifest, with forward slashes; absolute for inputs that stand elsewhere."""
    bytes: int
    sha256: str
    rows: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """kept + rejected = rows; repaired and flagged are among the kept."""

    rows: int = 0
    kept: int = 0
    rejected: int = 0
    repaired: int = 0
    flagged: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    """Rejected rows by reason code; a row with two reasons counts under both."""
    repairs: Mapping[str, int] = field(default_factory=dict)
    """Kept records that carry a repair, made here or before, by code."""
    flags: Mapping[str, int] = field(default_factory=dict)
    """Kept records that carry a flag, by code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a step directory holds and how it came to be; written last, so its existence means the step is complete."""

    stage: str
    config: Mapping[str, Any]
    inputs: tuple[FileDigest, ...]
    outputs: tuple[FileDigest, ...]
    counts: Counts
    fingerprint: str
    scheme: int = SCHEME
    recorded: Mapping[str, Any] = field(default_factory=dict)
    """Time, host, versions: for people, never identity."""
    release: ReleaseFacts | None = None
    """What a release says of itself; None for any other step."""
    parts: Mapping[str, tuple[FileDigest, ...]] = field(default_factory=dict)
    """Output → the parts it was cut into, in order. Its bytes are theirs, one after another, and so is its digest: how
    a step is cut is no identity."""

    def output(self, path: str) -> FileDigest | None:
        """Return the digest of one output by its relative path."""
        return next((one for one in self.outputs if one.path == path), None)

    def stored(self, path: str) -> tuple[FileDigest, ...]:
        """Return the files that hold an output, in order: itself, its parts where it was cut, or none."""
        whole = self.output(path)
        return self.parts.get(path, (whole,)) if whole else ()


def fingerprint(stage: str, config: Mapping[str, Any], inputs: Iterable[FileDigest]) -> str:
    """Return the identity of a step: hex sha256 over scheme, stage, settings and the input digests."""
    return sha256_of(
        {"scheme": SCHEME, "stage": stage, "config": dict(config), "inputs": [one.sha256 for one in inputs]}
    )


def digest_file(path: Path, name: str = "", rows: int | None = None) -> FileDigest:
    """Hash a file in chunks; `name` is what the manifest calls it (default: its absolute path)."""
    return digest_files((path,), name or str(path.resolve()), rows)


def digest_files(paths: Iterable[Path], name: str, rows: int | None = None) -> FileDigest:
    """Hash files as if they were one, whose parts they are."""
    sha, size = hashlib.sha256(), 0
    for path in paths:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                sha.update(chunk)
                size += len(chunk)
    return FileDigest(path=name, bytes=size, sha256=sha.hexdigest(), rows=rows)


def part_name(path: str, number: int) -> str:
    """Return the name of a part: that of the 12th of `records.jsonl` is `records-00012.jsonl`."""
    stem, dot, suffix = path.rpartition(".")
    return f"{stem}-{number:05}{dot}{suffix}"


def changes(directory: Path, manifest: Manifest) -> list[str]:
    """Return one sentence for each output, or part of one, that is missing, changed or not the manifest's."""
    found = differences(directory, (file for one in manifest.outputs for file in manifest.stored(one.path)))
    for path, parts in manifest.parts.items():
        named, whole = {part.path for part in parts}, Path(path)
        for file in (directory / whole, *sorted(directory.glob(f"{whole.stem}-[0-9]*{whole.suffix}"))):
            if file.exists() and file.name not in named:
                found.append(f"{file}: a part that the manifest does not name")
    return found


def differences(directory: Path, files: Iterable[FileDigest]) -> list[str]:
    """Return one sentence for each file that is missing or whose bytes are not those that were written."""
    found = []
    for file in files:
        path = directory / file.path
        if not path.is_file():
            found.append(f"{path}: missing")
        elif path.stat().st_size != file.bytes:
            found.append(f"{path}: {path.stat().st_size} bytes, the manifest says {file.bytes}")
        elif digest_file(path).sha256 != file.sha256:
            found.append(f"{path}: its bytes are not those the manifest was written for")
    return found
