"""The records that are compared with one another: on disk, with what decides about them in memory.

A million records take some gigabytes as Python objects. What is compared is small: the different prompts, a hash of
each record, its place in the order of worth. The records themselves wait in a scratch file until they are asked for.
"""

import hashlib
import os
import tempfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, NamedTuple

from curation.dedupe.exact import exact_key
from curation.dedupe.prompts import Prompt, prompt_of
from curation.dedupe.quality import worth
from schemas.codec import read_record, write_record
from schemas.record import InstructionRecord


class Group(NamedTuple):
    """What a record counts for when losses are looked at."""

    source: str
    category: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Records by their place in the input. The first `held` are kept already, and only compared with."""

    lines: IO[bytes]
    ends: Sequence[int]
    """Where each record's line ends in `lines`."""
    held: int
    keys: Sequence[bytes]
    """Equal for exact duplicates."""
    order: Sequence[int]
    """Places of the records that are to be judged, the best first."""
    prompts: Sequence[Prompt]
    """The different prompts, from short to long, so that the order of the records decides nothing."""
    of: Sequence[int]
    """Record → its prompt's place in `prompts`."""
    groups: Sequence[Group]
    in_group: Sequence[int]
    """Record → its group's place in `groups`."""

    @property
    def size(self) -> int:
        """How many records there are."""
        return len(self.ends)

    def __getitem__(self, row: int) -> InstructionRecord:
        """Read one record back."""
        start = self.ends[row - 1] if row else 0
        return read_record(os.pread(self.lines.fileno(), self.ends[row] - start, start))

    def judged(self) -> Iterator[tuple[int, InstructionRecord]]:
        """Yield the records that are to be judged, in input order, each with its place."""
        return ((row, self[row]) for row in range(self.held, self.size))


def gather(
    held: Iterable[InstructionRecord],
    records: Iterable[InstructionRecord],
    fields: Sequence[str],
    prefer: str = "",
) -> Pool:
    """Take in all records; `fields` are those that are equal in exact duplicates."""
    taken = _Taken(fields)
    for record in held:
        taken.take(record)
    first = taken.size
    worths = []
    for record in records:
        line = taken.take(record)
        # Of records that are worth the same and say the same, all that they hold decides, not where they stand.
        worths.append((*worth(record, prefer), hashlib.sha256(line).digest()))
    order = array("l", sorted(range(first, taken.size), key=lambda row: worths[row - first]))
    return taken.pool(first, order)


@dataclass(slots=True)
class _Taken:
    """Records as they come in."""

    fields: Sequence[str]
    lines: IO[bytes] = field(default_factory=tempfile.TemporaryFile)
    ends: Any = field(default_factory=lambda: array("q"))
    keys: list[bytes] = field(default_factory=list)
    asks: dict[Prompt, int] = field(default_factory=dict)
    of: Any = field(default_factory=lambda: array("l"))
    groups: dict[Group, int] = field(default_factory=dict)
    in_group: Any = field(default_factory=lambda: array("l"))
    at: int = 0

    @property
    def size(self) -> int:
        return len(self.ends)

    def take(self, record: InstructionRecord) -> bytes:
        """Take in a record; return it as it is written."""
        line = write_record(record)
        self.at += self.lines.write(line)
        self.ends.append(self.at)
        self.keys.append(exact_key(record, self.fields))
        self.of.append(_number(self.asks, prompt_of(record)))
        self.in_group.append(_number(self.groups, Group(record.provenance.source, record.category)))
        return line

    def pool(self, held: int, order: Sequence[int]) -> Pool:
        self.lines.flush()
        prompts = sorted(self.asks, key=lambda prompt: (len(prompt.text), prompt))
        places = {self.asks[prompt]: place for place, prompt in enumerate(prompts)}
        return Pool(
            lines=self.lines,
            ends=self.ends,
            held=held,
            keys=self.keys,
            order=order,
            prompts=prompts,
            of=array("l", (places[number] for number in self.of)),
            groups=list(self.groups),
            in_group=self.in_group,
        )


def _number(known: dict[Any, int], one: Any) -> int:
    """Return the number of a value: the next one where it is new."""
    return known.setdefault(one, len(known))
