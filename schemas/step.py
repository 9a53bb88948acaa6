"""The step directory: the only code that reads, writes, counts and hashes one.

    DIR/
      records.jsonl    the kept records, one a line
      rejected.jsonl   the rejected rows with their reasons
      NAME.jsonl       what the stage left beside its outcomes, if anything
      manifest.json    written last

Any of the files may be cut into parts, `records-00001.jsonl` and so on, which the manifest lists: one after another
they are the file, and its digest is the same.

How it is written, whole or not at all, is in schemas.directory.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, Self

from schemas.codec import as_config, loads, read_record, read_rejection
from schemas.directory import MANIFEST, Filled, read_manifest, version, write_directory
from schemas.errors import InputError
from schemas.manifest import FileDigest, Manifest, changes, fingerprint
from schemas.outcome import SILENT, Aside, Outcome, Rejection
from schemas.record import InstructionRecord, Row
from schemas.unfinished import Journal
from schemas.writer import Writer
from schemas.written import NAMES, Written

RECORDS, REJECTED = NAMES


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
        if wrong := changes(path, step.manifest):
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
        for number, line in self.lines():
            yield read_record(line, f"{self.path / RECORDS}:{number}")

    def lines(self, name: str = RECORDS) -> Iterator[tuple[int, bytes]]:
        """Yield the lines of an output (default: the kept records) as they are written, each with its number from 1."""
        return enumerate(chain.from_iterable(map(_lines, self.paths(name))), 1)

    def paths(self, name: str = RECORDS) -> list[Path]:
        """Return the files that hold an output, in order; none where the stage left none."""
        return [self.path / one.path for one in self.manifest.stored(name)]

    def rejections(self) -> Iterator[Rejection]:
        """Yield the rejected rows in order."""
        for number, line in self.lines(REJECTED):
            yield read_rejection(line, f"{self.path / REJECTED}:{number}")

    def rows(self, name: str) -> Iterator[Row]:
        """Yield what the stage left in `NAME.jsonl`; nothing if it left none."""
        for _, line in self.lines(f"{name}.jsonl"):
            yield loads(line)

    def input_paths(self) -> list[Path]:
        """Return where the inputs stood: relative names count from this directory."""
        return [(self.path / one.path).resolve() for one in self.manifest.inputs]


def is_step(path: Path) -> bool:
    """Say whether a finished step (or release) stands here."""
    return (path / MANIFEST).is_file()


def write_step(
    path: Path,
    work: Any,
    outcomes: Callable[[Aside], Iterable[Outcome | Written]],
    *,
    inputs: Iterable[FileDigest] = (),
    force: bool = False,
    aside: Aside = SILENT,
    shard: int = 0,
    rest: Callable[[Aside, int], Iterable[Outcome | Written]] | None = None,
) -> tuple[StepDirectory, bool]:
    """Run `outcomes` into the step directory `path`, or reuse what stands there.

    `work` is the stage or source: it gives the name and the settings. Returns the step and whether it was reused: a
    complete step with the same fingerprint whose bytes verify is not done again unless `force`. With `shard` the files
    are cut into parts: the outcomes of so many rows go into one part of each. Where `rest` can give the outcomes
    after the first so many, work that was stopped goes on after its last finished shard.

    Raises:
        InputError: `path` holds something that is not a step of this stage, or another process is writing it.
        DollyError: the disk is full; nothing half-written is left at `path`, and finished shards beside it.
    """
    inputs, parts = tuple(inputs), dict[str, tuple[FileDigest, ...]]()
    resumes = bool(shard and rest)
    identity = {"work": fingerprint(work.name, as_config(work), inputs), "shard": shard, "version": version()}

    def fill(draft: Path) -> Filled:
        journal = Journal(draft, identity) if resumes else None
        with Writer(draft, aside, shard, journal) as writer:
            for outcome in rest(writer, writer.start) if rest else outcomes(writer):
                writer.write(outcome)
            writer.finish()
        parts.update(writer.parts())
        return writer.digests(), writer.counts()

    def seal(_: Path, manifest: Manifest) -> Manifest:
        return replace(manifest, parts=parts)

    manifest, reused = write_directory(path, work, fill, inputs=inputs, force=force, seal=seal, resumes=resumes)
    return StepDirectory(path, manifest), reused


def step_input(step: StepDirectory) -> FileDigest:
    """Return a step as the input of the next one."""
    return replace(step.records_file, path=str((step.path / RECORDS).resolve()))


def _lines(path: Path) -> Iterator[bytes]:
    if not path.is_file():
        raise InputError(place=path, expected=f"what {MANIFEST} names", found="nothing")
    with path.open("rb") as file:
        yield from file
