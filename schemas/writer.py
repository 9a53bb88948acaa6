"""Splits outcomes into the files of a step directory, counting and hashing as it writes.

Where it cuts, the outcomes of so many rows make a shard: the 12th shard's kept records are `records-00012.jsonl`, its
rejected rows `rejected-00012.jsonl`, and so on with what was left aside meanwhile; a shard that has nothing for a file
has no such part. A part gets its name when it is whole and on the disk.
"""

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Self

from schemas.codec import dumps
from schemas.manifest import CHUNK, Counts, FileDigest, part_name
from schemas.outcome import Aside, Outcome, Watches
from schemas.tally import Tally
from schemas.unfinished import Journal, Shard
from schemas.written import NAMES, RECORDS, REJECTED, Written, line_of


class Writer:
    """Writes the files of a step into a draft. Also the stage's aside."""

    def __init__(self, draft: Path, aside: Aside, shard: int = 0, journal: Journal | None = None) -> None:
        """Take the folder to write, whom to tell, and how many rows' outcomes make a shard; 0: nothing is cut.

        With a journal, the shards that are finished there already are gone on from, and new ones written down.
        """
        self._draft, self._aside, self._shard, self._journal = draft, aside, shard, journal
        self._files: dict[str, _File] = {}
        self._number, self._tally, self._total = 1, Tally(), Tally()

    def __enter__(self) -> Self:
        """Begin the two files that every step has, or go on with them."""
        for name in NAMES:
            self._append(name, b"", 0)
        for shard in self._journal.shards() if self._journal else ():
            for name, part in shard.parts.items():
                self._files.setdefault(name, _File(self._draft)).take(part)
            self._count(shard.tally)
        return self

    @property
    def start(self) -> int:
        """How many rows' outcomes stood here before."""
        return self._total.rows

    def __exit__(self, *_: object) -> None:
        """Let go of parts that will not be finished."""
        for file in self._files.values():
            file.abandon()

    def write(self, outcome: Outcome | Written) -> None:
        """Write one outcome, or some that a worker wrote down."""
        if isinstance(outcome, Written):
            self._tally.merge(outcome.tally)
            self._append(RECORDS, outcome.records, outcome.tally.kept)
            self._append(REJECTED, outcome.rejected, outcome.tally.rejected)
        else:
            self._tally.add(outcome)
            self._append(*line_of(outcome), 1)
        if self._shard and self._tally.rows >= self._shard:
            parts, tally = self._end_shard(), self._tally
            self._count(tally)
            if self._journal:
                self._journal.add(Shard(parts=parts, tally=tally))

    def leave(self, name: str, row: Mapping[str, Any]) -> None:
        """Write a row into a file of its own."""
        self._append(f"{name}.jsonl", dumps(row) + b"\n", 1)

    def progress(self, what: str, done: int, total: int | None = None, note: str = "") -> None:
        """Pass on how far it has come."""
        self._aside.progress(what, done, total, note)

    def watch(self, view: Mapping[str, Any]) -> None:
        """Pass on how it stands, to whoever wants to know."""
        if isinstance(self._aside, Watches):
            self._aside.watch(view)

    def finish(self) -> None:
        """End the last shard: every byte is written. It is in no journal, because rows may be left aside at the end."""
        self._end_shard()
        self._count(self._tally)

    def counts(self) -> Counts:
        """Return what the finished shards' outcomes come to."""
        return self._total.counts()

    def digests(self) -> tuple[FileDigest, ...]:
        """Return each file as a whole, however it was cut."""
        return tuple(file.whole.digest(name) for name, file in self._files.items())

    def parts(self) -> dict[str, tuple[FileDigest, ...]]:
        """Return the parts of each file; nothing where nothing is cut."""
        return {name: tuple(file.parts) for name, file in self._files.items()} if self._shard else {}

    def _end_shard(self) -> dict[str, FileDigest]:
        ended = ((name, file.end_part()) for name, file in self._files.items())
        return {name: part for name, part in ended if part is not None}

    def _count(self, tally: Tally) -> None:
        self._total.merge(tally)
        self._number, self._tally = self._number + 1, Tally()

    def _append(self, name: str, lines: bytes, rows: int) -> None:
        file = self._files.setdefault(name, _File(self._draft))
        if not self._shard:
            file.write(lines, rows, name, file.whole)
        elif lines:
            file.write(lines, rows, part_name(name, self._number), _Sum())


class _File:
    """A file of the step: what it comes to as a whole, its parts, and the one that is being written."""

    def __init__(self, draft: Path) -> None:
        self._draft, self.whole = draft, _Sum()
        self.parts: list[FileDigest] = []
        self._part: tuple[str, IO[bytes], _Sum] | None = None

    def write(self, lines: bytes, rows: int, name: str, fresh: "_Sum") -> None:
        """Append lines to the part that is being written; where there is none, a new one begins under that name."""
        if self._part is None:
            self._part = (name, (self._draft / f".{name}").open("wb"), fresh)
        _, file, part = self._part
        file.write(lines)
        part.add(lines, rows)
        if part is not self.whole:
            self.whole.add(lines, rows)

    def end_part(self) -> FileDigest | None:
        """Flush the part that is being written to the disk, and give it its name; None where there is none."""
        if self._part is None:
            return None
        name, file, part = self._part
        file.flush()
        os.fsync(file.fileno())
        file.close()
        (self._draft / f".{name}").rename(self._draft / name)
        self.parts.append(part.digest(name))
        self._part = None
        return self.parts[-1]

    def take(self, part: FileDigest) -> None:
        """Take a finished part as it stands."""
        with (self._draft / part.path).open("rb") as file:
            while some := file.read(CHUNK):
                self.whole.add(some, some.count(b"\n"))
        self.parts.append(part)

    def abandon(self) -> None:
        """Close what was not finished; that its last bytes find no room does not matter."""
        if self._part is not None:
            with suppress(OSError):
                self._part[1].close()


class _Sum:
    """Hashes and counts lines as they are written."""

    def __init__(self) -> None:
        self._sha, self._size, self._rows = hashlib.sha256(), 0, 0

    def add(self, lines: bytes, rows: int) -> None:
        self._sha.update(lines)
        self._size += len(lines)
        self._rows += rows

    def digest(self, name: str) -> FileDigest:
        return FileDigest(path=name, bytes=self._size, sha256=self._sha.hexdigest(), rows=self._rows)
