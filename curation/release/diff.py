"""What became of records between two step directories or releases, and the version that follows from it.

A record is *edited* where its text or its category changed. Which record it was before is known from the ids it
remembers; failing that, from an instruction and context that are asked once before and once after.

The version rule is Croissant's: PATCH where the records are the same and only their serialisation or what is said about
them differs, MINOR where records were only added, MAJOR where any was edited or removed.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

import pyarrow.parquet as pq

from curation.release.rows import DATA_FILE
from schemas.chain import walk
from schemas.codec import sha256_of
from schemas.directory import read_manifest
from schemas.record import InstructionRecord
from schemas.sealed import RELEASE, open_release
from schemas.step import StepDirectory

Bump = Literal["major", "minor", "patch"]


class Known(NamedTuple):
    """As much of a record as a comparison needs."""

    id: str
    asked: str
    """Hash of instruction and context."""
    category: str
    previous: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """What became of the records of the first on the way to the second."""

    before: int
    """Records of the first."""
    after: int
    unchanged: int
    added: tuple[str, ...]
    """Ids, as for all that follow."""
    removed: tuple[str, ...]
    edited: tuple[tuple[str, str], ...]
    """Before and after; the same id twice where only the category changed."""
    reasons: Mapping[str, int] = field(default_factory=dict)
    """Why records were removed, as far as the steps on the way to the second tell."""

    @property
    def bump(self) -> Bump:
        """Which part of the version changes."""
        if self.removed or self.edited:
            return "major"
        return "minor" if self.added else "patch"


def compare(first: Path, second: Path) -> Diff:
    """Compare two step directories or releases.

    Raises:
        InputError: one of them is neither, or its bytes have been changed.
    """
    reasons = reasons_of(StepDirectory.peek(second)) if read_manifest(second).stage != RELEASE else {}
    return difference(known_in(first), known_in(second), reasons)


def difference(first: Iterable[Known], second: Iterable[Known], reasons: Mapping[str, str] | None = None) -> Diff:
    """Return what became of records; `reasons` tells of an id why it was rejected."""
    before, after = list(first), list(second)
    left, right = Counter(one.id for one in before), Counter(one.id for one in after)
    gone, come = _only(before, left - right), _only(after, right - left)
    pairs = dict(_pairs(gone, come))
    recategorised = _recategorised(before, after)
    removed = [one.id for one in gone if one.id not in pairs]
    new = set(pairs.values())
    told = Counter((reasons or {}).get(name, "not told") for name in removed)
    return Diff(
        before=len(before),
        after=len(after),
        unchanged=sum((left & right).values()) - len(recategorised),
        added=tuple(sorted(one.id for one in come if one.id not in new)),
        removed=tuple(sorted(removed)),
        edited=tuple(sorted([*pairs.items(), *recategorised])),
        reasons=dict(told.most_common()),
    )


def next_version(version: str, bump: Bump) -> str:
    """Return the version that follows."""
    major, minor, patch = map(int, version.split("."))
    return {
        "major": f"{major + 1}.0.0",
        "minor": f"{major}.{minor + 1}.0",
        "patch": f"{major}.{minor}.{patch + 1}",
    }[bump]


def known_in(path: Path) -> Iterator[Known]:
    """Yield the records of a step directory or a release, every byte verified."""
    if read_manifest(path).stage == RELEASE:
        open_release(path)
        return _released(path / DATA_FILE)
    return map(known, StepDirectory.open(path).records())


def known(record: InstructionRecord) -> Known:
    """Return what a comparison needs of a record."""
    return Known(record.id, _asked(record.instruction, record.context), record.category, record.provenance.previous)


def _released(path: Path) -> Iterator[Known]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(columns=["id", "instruction", "context", "category", "previous"]):
            for row in batch.to_pylist():
                asked = _asked(row["instruction"], row["context"])
                yield Known(row["id"], asked, row["category"], tuple(row["previous"]))


def _asked(instruction: str, context: str) -> str:
    return sha256_of([instruction, context])


def _only(records: Iterable[Known], wanted: Counter[str]) -> list[Known]:
    """Return as many records of each id as are wanted."""
    left, found = Counter(wanted), []
    for one in records:
        if left[one.id] > 0:
            left[one.id] -= 1
            found.append(one)
    return found


def _recategorised(before: Iterable[Known], after: Iterable[Known]) -> list[tuple[str, str]]:
    """Return the records that are there before and after, under another category."""
    left, right = (Counter((one.id, one.category) for one in side) for side in (before, after))
    gone, come = (Counter(name for name, _ in side.elements()) for side in (left - right, right - left))
    return [(name, name) for name in sorted((gone & come).elements())]


def _pairs(gone: Iterable[Known], come: Iterable[Known]) -> Iterator[tuple[str, str]]:
    """Yield (id before, id after) of the records that were edited."""
    gone, come = list(gone), list(come)
    former: dict[str, str] = {}
    for one in gone:
        former.update(dict.fromkeys((*one.previous, one.id), one.id))
    taken: set[str] = set()
    rest = []
    for one in come:
        before = next((former[name] for name in one.previous if name in former and former[name] not in taken), None)
        if before is None:
            rest.append(one)
        else:
            taken.add(before)
            yield before, one.id
    yield from _asked_once([one for one in gone if one.id not in taken], rest)


def _asked_once(gone: Iterable[Known], come: Iterable[Known]) -> Iterator[tuple[str, str]]:
    sides: dict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for side, records in enumerate((gone, come)):
        for one in records:
            sides[one.asked][side].append(one.id)
    for before, after in sides.values():
        if len(before) == len(after) == 1:
            yield before[0], after[0]


def reasons_of(step: StepDirectory) -> dict[str, str]:
    """Return why the steps that led to a step rejected rows: id → the first reason's code."""
    return {one.id: one.reasons[0].code for earlier in walk(step).steps for one in earlier.rejections()}
