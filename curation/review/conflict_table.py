"""The conflicts that a survey found and nobody has settled: which kept records answer one question differently."""

import sqlite3
from collections.abc import Iterator, Mapping
from typing import Final

from curation.filters.survey import CONFLICTS
from schemas.chain import Chain
from schemas.record import Row

TABLE = """
CREATE TABLE conflicts (
  conflict INTEGER NOT NULL, answer INTEGER NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL,
  instruction TEXT NOT NULL, context TEXT NOT NULL
);
"""
INDEX = "CREATE INDEX conflicts_id ON conflicts (id);"
WEIGHTS: Final[Mapping[str, float]] = {"contradiction": 10.0, "variation": 0.5}
"""Kind of conflict → what it adds to a record's doubt: before everything else, or as much as a repair."""

_SETTLE = """
DELETE FROM conflicts WHERE id NOT IN (SELECT id FROM items WHERE fate = 'kept');
DELETE FROM conflicts WHERE conflict IN (
  SELECT conflict FROM conflicts GROUP BY conflict HAVING count(DISTINCT answer) < 2
);
"""
"""An answer that a later step dropped disagrees with nobody."""


def note_conflicts(db: sqlite3.Connection, chain: Chain) -> None:
    """Fill the table with what the last survey of a chain found, and let it weigh in the doubt of each record."""
    surveys = [step for step in chain.steps if step.manifest.stage == "survey"]
    found = surveys[-1].rows(CONFLICTS) if surveys else ()
    for number, row in enumerate(found):
        db.executemany("INSERT INTO conflicts VALUES (?, ?, ?, ?, ?, ?)", _answers(number, row))
    db.executescript(INDEX + _SETTLE)
    for kind, weight in WEIGHTS.items():
        db.execute(
            "UPDATE items SET conflict = ?, doubt = doubt + ? "
            "WHERE fate = 'kept' AND id IN (SELECT id FROM conflicts WHERE kind = ?)",
            (kind, weight, kind),
        )


def _answers(number: int, row: Row) -> Iterator[tuple[int, int, str, str, str, str]]:
    # surveys of before this file named ids only: one for each answer
    for answer, ids in enumerate(row.get("same", [[one] for one in row["ids"]]), 1):
        for one in ids:
            yield number, answer, one, row["kind"], row["instruction"], row["context"]
