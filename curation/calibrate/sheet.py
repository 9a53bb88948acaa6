"""A file of drawn pairs while somebody labels it: every label is in the file before the next pair is shown."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from curation.calibrate.labels import LABELS, read_pairs
from curation.review.sample import write_sample
from curation.visible import visible
from schemas.errors import InputError
from schemas.record import TEXT_FIELDS

Stamp: TypeAlias = tuple[int, int, int]


@dataclass(slots=True)
class Sheet:
    """The pairs of a file, in an order that says nothing of how alike they are."""

    path: Path
    rows: list[dict[str, Any]]
    """The file's lines."""
    _order: list[int] = field(default_factory=list)
    _labelled: list[int] = field(default_factory=list)
    """Places of the labels that were set, the latest last."""
    _skipped: set[int] = field(default_factory=set)
    _written: Stamp | None = None
    """The file as it was last read or written here."""

    @classmethod
    def read(cls, path: Path) -> "Sheet":
        """Read a file of pairs.

        Raises:
            InputError: no such file, or a line that is no drawn pair.
        """
        stamp, rows = _stamp(path), read_pairs(path)
        keys = [hashlib.sha256(f"{row['a']} {row['b']}".encode()).digest() for row in rows]
        return cls(path, rows, sorted(range(len(rows)), key=keys.__getitem__), _written=stamp)

    @property
    def at(self) -> int | None:
        """The place of the pair that is to be labelled next; None: all are labelled or skipped."""
        return next((at for at in self._order if not self.rows[at]["label"] and at not in self._skipped), None)

    @property
    def order(self) -> tuple[int, ...]:
        """The places of all pairs, in the order in which they are shown."""
        return tuple(self._order)

    @property
    def skipped(self) -> int:
        """How many pairs were left for another time."""
        return len(self._skipped)

    @property
    def last(self) -> int | None:
        """The place of the pair that undo takes the label from."""
        return self._labelled[-1] if self._labelled else None

    @property
    def labelled(self) -> int:
        """How many pairs have a label."""
        return sum(bool(row["label"]) for row in self.rows)

    def label(self, at: int, label: str) -> None:
        """Give a pair a label, one of LABELS, and write it down."""
        assert label in LABELS
        self.refresh()
        self.rows[at]["label"] = label
        self._labelled.append(at)
        self._skipped.discard(at)
        self._write()

    def skip(self, at: int) -> None:
        """Leave a pair for another time."""
        self._skipped.add(at)

    def take_up(self) -> None:
        """Show the skipped pairs again."""
        self._skipped.clear()

    def undo(self) -> bool:
        """Take back the last label that was set here; say whether there was one."""
        if not self._labelled:
            return False
        self.refresh()
        self.rows[self._labelled.pop()]["label"] = None
        self._write()
        return True

    def refresh(self) -> None:
        """Take over what somebody else wrote into the file since: an editor, or another sitting.

        Raises:
            InputError: the file is gone, or holds other pairs than the ones that are being labelled.
        """
        if _stamp(self.path) == self._written:
            return
        rows = read_pairs(self.path)
        if [(row["a"], row["b"]) for row in rows] != [(row["a"], row["b"]) for row in self.rows]:
            raise InputError(place=self.path, expected="the pairs that are being labelled", found="other pairs")
        self.rows[:] = rows
        self._written = _stamp(self.path)

    def _write(self) -> None:
        write_sample(self.path, self.rows, force=True)
        self._written = _stamp(self.path)


def _stamp(path: Path) -> Stamp | None:
    """Return what changes whenever the file is written; None: it is not there."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def shown(row: dict[str, Any]) -> Iterator[str]:
    """Yield the lines that show a pair: nothing of it can move the cursor or colour the screen."""
    for side in "ab":
        yield f"── {side.upper()} "
        for name in TEXT_FIELDS:
            if text := row[side][name]:
                yield f"{name:>11}: " + visible(text).replace("\n", "\n" + " " * 13)
