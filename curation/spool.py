"""Records on disk until they are asked for: what a stage holds that has to see all of them before it can say anything.

A million records take some gigabytes as Python objects; here each takes the 16 bytes that say where its line stands.
"""

import os
import tempfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any, Protocol, Self, TypeVar

from schemas.codec import read_record, write_record
from schemas.record import InstructionRecord

T = TypeVar("T")


class Records(Protocol):
    """Records that can be gone through more than once."""

    def __len__(self) -> int:
        """Return how many there are."""

    def __iter__(self) -> Iterator[InstructionRecord]:
        """Yield them from the first to the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spool:
    """Records by their place, read back from a scratch file."""

    lines: IO[bytes]
    starts: Sequence[int]
    ends: Sequence[int]
    """Where each record's line starts and ends in `lines`."""

    @classmethod
    def of(cls, records: Iterable[InstructionRecord]) -> Self:
        """Take in records; the file goes when nobody holds the spool any longer."""
        lines = tempfile.TemporaryFile()  # noqa: SIM115  # it lives as long as the spool
        starts, ends, at = array("q"), array("q"), 0
        for record in records:
            starts.append(at)
            at += lines.write(write_record(record))
            ends.append(at)
        lines.flush()
        return cls(lines=lines, starts=starts, ends=ends)

    def __len__(self) -> int:
        """Return how many records there are."""
        return len(self.starts)

    def __getitem__(self, row: int) -> InstructionRecord:
        """Read one record back."""
        start = self.starts[row]
        return read_record(os.pread(self.lines.fileno(), self.ends[row] - start, start))

    def __iter__(self) -> Iterator[InstructionRecord]:
        """Yield the records from the first to the last."""
        return (self[row] for row in range(len(self)))

    def only(self, rows: Iterable[int]) -> Self:
        """Return the records at these places, in this order; they stay where they are."""
        places: Any = array("q", rows)
        starts = array("q", (self.starts[row] for row in places))
        return type(self)(lines=self.lines, starts=starts, ends=array("q", (self.ends[row] for row in places)))


def parts(some: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    """Yield what there is in parts of a size, the last one of what is left."""
    left = iter(some)
    while part := tuple(islice(left, size)):
        yield part
