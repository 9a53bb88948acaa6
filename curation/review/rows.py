"""Reads rows out of the index: one by its place, all that are like it, the order of a queue."""

import hashlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from curation.review.columns import Column, read_columns
from curation.review.events import Fate
from schemas.codec import dumps, read_record, read_rejection
from schemas.errors import InputError
from schemas.outcome import Outcome, Rejection
from schemas.record import InstructionRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One row that may be reviewed."""

    pos: int
    """Its place in the index."""
    id: str
    sha256: str
    """What a decision about it is keyed on."""
    fate: Fate
    step: int
    stage: str
    """The stage that kept or rejected it last."""
    language: str
    words: int
    doubt: float
    outcome: Outcome
    conflict: str = ""
    """The kind of conflict that it is part of; empty: none."""

    @property
    def record(self) -> InstructionRecord | None:
        """The record, where it is or once was one."""
        if isinstance(self.outcome, InstructionRecord):
            return self.outcome
        row = self.outcome.row
        was = all(isinstance(row.get(name), str) for name in ("instruction", "context", "response", "id"))
        if not was:
            return None
        try:
            return read_record(dumps(row))
        except InputError:  # a foreign row with an id of its own, or more besides, never was one of ours
            return None


VECTORS = "vectors.npy"
"""Beside the index: the vectors of the rows on the map, in order of their places."""

_AT = (
    "SELECT pos, id, sha256, fate, step, stage, language, words, doubt, line, conflict "
    "FROM items JOIN lines USING (pos) WHERE pos = ?"
)


class Rows:
    """The index, open for reading."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.db = sqlite3.connect(path, check_same_thread=False)
        self.db.execute("PRAGMA mmap_size=1073741824")
        self._version = -1

    def close(self) -> None:
        """Close the file."""
        self.db.close()

    @cached_property
    def counts(self) -> dict[str, int]:
        """Rows by fate."""
        return {"kept": 0, "rejected": 0, **dict(self.db.execute("SELECT fate, count(*) FROM items GROUP BY fate"))}

    @cached_property
    def hashes(self) -> list[str]:
        """The hash of every row, by place."""
        return [sha256 for (sha256,) in self.db.execute("SELECT sha256 FROM items ORDER BY pos")]

    @property
    def columns(self) -> dict[str, Column]:
        """What is known about every row, by column."""
        self._forget_what_changed()
        return self._columns

    @cached_property
    def _columns(self) -> dict[str, Column]:
        return read_columns(self.db)

    def _forget_what_changed(self) -> None:
        """Read again what hangs on the map, if somebody made one meanwhile."""
        (version,) = self.db.execute("PRAGMA data_version").fetchone()
        if version != self._version:
            self._version = version
            for name in ("_columns", "_mapped", "_vectors"):
                self.__dict__.pop(name, None)

    @cached_property
    def places(self) -> dict[str, int]:
        """The place of every hash; of equal rows the first."""
        return {sha256: pos for pos, sha256 in reversed(list(enumerate(self.hashes)))}

    def at(self, pos: int) -> Item:
        """Return the row at a place."""
        return _item(self.db.execute(_AT, (pos,)).fetchone())

    def called(self, row_id: str) -> list[Item]:
        """Return the rows of an id, kept ones first."""
        found = self.db.execute("SELECT pos FROM items WHERE id = ? ORDER BY fate, pos", (row_id,)).fetchall()
        return [self.at(pos) for (pos,) in found]

    def rejected_for(self, row_id: str, most: int) -> list[tuple[int, float | None]]:
        """Return the rows that were rejected because of a kept one, most alike first, with the score."""
        return self.db.execute(
            "SELECT pos, score FROM marks WHERE other = ? AND kind = 'reason' ORDER BY score DESC, pos LIMIT ?",
            (row_id, most),
        ).fetchall()

    def same_prompt(self, pos: int, most: int) -> list[int]:
        """Return the other rows that ask for the same, in other spelling or not."""
        found = self.db.execute(
            "SELECT other.pos FROM items AS mine JOIN items AS other ON other.prompt = mine.prompt "
            "WHERE mine.pos = ? AND other.pos != mine.pos ORDER BY other.pos LIMIT ?",
            (pos, most),
        )
        return [other for (other,) in found]

    def conflicts(self, row_id: str = "") -> Iterator[tuple[int, int, str, str, str, str]]:
        """Yield number, answer, id, kind, instruction and context of the records of open conflicts, or of one's."""
        yield from self.db.execute(
            "SELECT conflict, answer, id, kind, instruction, context FROM conflicts WHERE :id = '' "
            "OR conflict IN (SELECT conflict FROM conflicts WHERE id = :id) ORDER BY conflict, answer, id",
            {"id": row_id},
        )

    def neighbours(self, row_id: str, most: int) -> list[tuple[str, float]]:
        """Return the ids that are most like one, with their cosines."""
        return self.db.execute(
            "SELECT other, max(cosine) FROM neighbours WHERE id = ? GROUP BY other ORDER BY 2 DESC, 1 LIMIT ?",
            (row_id, most),
        ).fetchall()

    def most_like(self, pos: int, most: int) -> list[tuple[int, float]]:
        """Return the rows whose prompts are most like one's, with their cosines; none where no map was made."""
        self._forget_what_changed()
        if pos not in self._mapped:
            return []
        vectors, at = self._vectors, self._mapped[pos]
        cosines = vectors @ vectors[at]
        cosines[at] = -1
        top = np.argpartition(-cosines, min(most, len(cosines) - 1))[:most]
        ordered = sorted(top.tolist(), key=lambda one: (-cosines[one], one))
        places = list(self._mapped)
        return [(places[one], float(cosines[one])) for one in ordered if one != at]

    @cached_property
    def _mapped(self) -> dict[int, int]:
        """Where the vector of each row on the map stands."""
        if not self.path.with_name(VECTORS).is_file():
            return {}
        found = self.db.execute("SELECT pos FROM places ORDER BY pos")
        return {pos: at for at, (pos,) in enumerate(found)}

    @cached_property
    def _vectors(self) -> NDArray[np.float32]:
        vectors: NDArray[np.float32] = np.load(self.path.with_name(VECTORS), allow_pickle=False)
        return vectors

    def answer(self, key: str) -> tuple[str, int, int] | None:
        """Return where the answer to a request stands: file, first byte, bytes."""
        found: tuple[str, int, int] | None = self.db.execute(
            "SELECT path, start, bytes FROM answers WHERE key = ?", (key,)
        ).fetchone()
        return found

    def keyed(self, fate: Fate) -> Iterator[tuple[int, str]]:
        """Yield place and hash of every row of a fate."""
        yield from self.db.execute("SELECT pos, sha256 FROM items WHERE fate = ? ORDER BY pos", (fate,))

    def worst_first(self) -> list[int]:
        """Return the kept records by doubt, equal ones once; ties in an order that no file decides."""
        found = self.db.execute(
            "SELECT min(pos), max(doubt) FROM items WHERE fate = 'kept' GROUP BY sha256 ORDER BY 2 DESC, sha256"
        )
        return [pos for pos, _ in found]

    def shuffled(self, fate: Fate, seed: int) -> list[int]:
        """Return the rows of a fate in the order of `sampling.Sample`, one for each hash."""
        order = {_shuffle(seed, sha256[:16] if fate == "kept" else sha256): pos for pos, sha256 in self.keyed(fate)}
        return [order[place] for place in sorted(order)]


def _shuffle(seed: int, key: str) -> bytes:
    return hashlib.sha256(f"{seed}:{key}".encode()).digest()


def _item(row: tuple[int, str, str, Fate, int, str, str, int, float, bytes, str]) -> Item:
    pos, row_id, sha256, fate, step, stage, language, words, doubt, line, conflict = row
    outcome: Rejection | InstructionRecord = read_record(line) if fate == "kept" else read_rejection(line)
    return Item(
        pos=pos,
        id=row_id,
        sha256=sha256,
        fate=fate,
        step=step,
        stage=stage,
        language=language,
        words=words,
        doubt=doubt,
        outcome=outcome,
        conflict=conflict,
    )
