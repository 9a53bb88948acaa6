"""What is finished of a step that is not: a journal in its draft, one line for each shard that is on the disk.

    .DIR.writing/
      records-00001.jsonl  …
      .shards.jsonl        which work this is, then one line a shard: its parts and their digests, and the counts

The same work goes on from there; other work (other settings, another input, another version) begins again.
"""

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from schemas.codec import adapter, dumps, loads
from schemas.manifest import FileDigest, differences
from schemas.tally import Tally

JOURNAL = ".shards.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """What the outcomes of so many rows left."""

    parts: Mapping[str, FileDigest]
    """File → its part."""
    tally: Tally


class Journal:
    """The journal of a draft."""

    def __init__(self, draft: Path, identity: Mapping[str, Any]) -> None:
        """Take the draft, and what tells its work from other work."""
        self._draft, self._identity = draft, dict(identity)

    def shards(self) -> list[Shard]:
        """Return the finished shards, from the first up to one that is not as it was written, and forget the others."""
        found = list(self._read())
        keep = {part.path for shard in found for part in shard.parts.values()}
        self._write(found)
        for file in self._draft.iterdir():
            if file.name not in (*keep, JOURNAL):
                file.unlink()
        return found

    def add(self, shard: Shard) -> None:
        """Write down that a shard is finished: its parts are on the disk already, the line is when this returns."""
        path = self._draft / JOURNAL
        head = b"" if path.exists() else self._head()
        with path.open("ab") as file:
            file.write(head + _line(shard))
            file.flush()
            os.fsync(file.fileno())

    def _head(self) -> bytes:
        return dumps(self._identity) + b"\n"

    def _write(self, shards: list[Shard]) -> None:
        """Put a journal of these shards in place of the old one; none where there are none."""
        if not shards:
            (self._draft / JOURNAL).unlink(missing_ok=True)
            return
        fresh = self._draft / f"{JOURNAL}.new"
        fresh.write_bytes(b"".join((self._head(), *map(_line, shards))))
        fresh.replace(self._draft / JOURNAL)

    def _read(self) -> Iterator[Shard]:
        path = self._draft / JOURNAL
        lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
        if not lines or _row(lines[0]) != self._identity:
            return
        for row in map(_row, lines[1:]):
            if row is None:
                return
            parts = {name: adapter(FileDigest).validate_python(one) for name, one in row["parts"].items()}
            if differences(self._draft, parts.values()):
                return
            yield Shard(parts=parts, tally=_tally(row["tally"]))


def _line(shard: Shard) -> bytes:
    parts = {name: asdict(part) for name, part in shard.parts.items()}
    tally = {one.name: getattr(shard.tally, one.name) for one in fields(Tally)}
    return dumps({"parts": parts, "tally": tally}) + b"\n"


def _row(line: bytes) -> Any:
    """Return a line's value; of a torn one, nothing."""
    try:
        return loads(line) if line.endswith(b"\n") else None
    except ValueError:
        return None


def _tally(row: Mapping[str, Any]) -> Tally:
    counts = ((one.name, row[one.name]) for one in fields(Tally))
    values: dict[str, Any] = {name: Counter(one) if isinstance(one, dict) else one for name, one in counts}
    return Tally(**values)
