"""What became of the last release's records: which stand as they were, which changed, which came and which left.

A record changed where it remembers a released one's id, or asks what one released record asked, once before and once
now: the same instruction and context, or failing that the same instruction.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from curation.review.index import texts_of, texts_of_row
from curation.review.rows import Item
from curation.review.worddiff import Piece, word_diff
from curation.rows import read_file
from curation.sources import input_files
from schemas.errors import InputError
from schemas.record import TEXT_FIELDS, Row
from schemas.step import StepDirectory

LARGEST = 1 << 30
"""Bytes of a release's row that are read."""


class Former(NamedTuple):
    """A record as it was, or is."""

    id: str
    texts: tuple[str, str, str]
    """Instruction, context, response."""
    previous: tuple[str, ...]
    """Its ids before each repair or correction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """A release held against the records of a step; without one, nothing."""

    name: str = ""
    """The release's folder; empty: none was named, and all records are looked at."""
    ids: frozenset[str] = frozenset()
    """Of the released records."""
    changed: Mapping[str, Former] = field(default_factory=dict)
    """Id of a record → what was released in its place."""
    came: int = 0
    """Records that stand for no released one."""
    left: tuple[Former, ...] = ()
    """Released records for which none stands now, in the order of the release."""


def read_since(release: Path | None, step: StepDirectory) -> Since:
    """Hold a release, or an earlier step, against a step's records; only what is not in both is held in memory.

    Raises:
        InputError: no release, or rows without an id.
    """
    if release is None:
        return Since()
    ids = frozenset(str(row["id"]) for row in _released(release))
    kept, fresh = set(), {}
    for record in step.records():
        kept.add(record.id)
        if record.id not in ids:
            fresh[record.id] = Former(record.id, texts_of(record), record.provenance.previous)
    gone = {one.id: one for one in map(_former, _released(release)) if one.id not in kept}
    changed = dict(_pairs(gone, fresh.values()))
    stand = {one.id for one in changed.values()}
    return Since(
        name=release.resolve().name,
        ids=ids,
        changed=changed,
        came=len(fresh) - len(changed),
        left=tuple(one for one in gone.values() if one.id not in stand),
    )


def released_diff(item: Item, since: Since) -> tuple[tuple[str, list[Piece]], ...]:
    """Return each field with what differs from the text that was released; nothing where none stood for the record."""
    former = since.changed.get(item.id) if item.fate == "kept" else None
    if former is None:
        return ()
    sides = zip(TEXT_FIELDS, former.texts, texts_of(item.outcome), strict=True)
    return tuple((name, word_diff(old, new)) for name, old, new in sides if old != new)


def _released(release: Path) -> Iterator[Row]:
    for path in input_files(str(release)):
        for read in read_file(path, LARGEST):
            if not isinstance(read.row.get("id"), str):
                raise InputError(
                    place=f"{path}:{read.line}", field="id", expected="a record of a release", found="no id"
                )
            yield read.row


def _former(row: Row) -> Former:
    # a release has the earlier ids as a column, a step has them within the provenance
    previous = row.get("previous", row.get("provenance", {}).get("previous", ()))
    return Former(row["id"], texts_of_row(row), tuple(previous))


def _pairs(gone: Mapping[str, Former], fresh: Iterable[Former]) -> Iterator[tuple[str, Former]]:
    """Yield the id of each changed record with what was released in its place; no record stands for two."""
    free, rest = dict(gone), {one.id: one for one in fresh}
    known = {name: one.id for one in gone.values() for name in (*one.previous, one.id)}
    for one in list(rest.values()):
        before = next((known[name] for name in reversed(one.previous) if known.get(name) in free), None)
        if before is not None:
            del rest[one.id]
            yield one.id, free.pop(before)
    for texts in (2, 1):
        for new, old in list(_asked_once(free.values(), rest.values(), texts)):
            del rest[new.id]
            yield new.id, free.pop(old.id)


def _asked_once(gone: Iterable[Former], fresh: Iterable[Former], texts: int) -> Iterator[tuple[Former, Former]]:
    """Yield new and old record where one of each begins with these first texts."""
    sides: dict[tuple[str, ...], tuple[list[Former], list[Former]]] = defaultdict(lambda: ([], []))
    for side, records in enumerate((gone, fresh)):
        for one in records:
            sides[one.texts[:texts]][side].append(one)
    yield from ((new[0], old[0]) for old, new in sides.values() if len(old) == len(new) == 1)
