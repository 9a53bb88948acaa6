"""An index of everything a review may show: every kept record and every rejected row of the steps that led to it.

    DIR.review/index.sqlite

It is made from the step directories, can be thrown away, and is made again when the step is another one.
"""

import fcntl
import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.filters.language import py3langid_detector
from curation.generate.journal import ANSWERS, journal_beside
from curation.review.conflict_table import TABLE, note_conflicts
from curation.text import normal_form
from schemas.chain import Chain
from schemas.codec import loads, sha256_of, write_record, write_rejection
from schemas.outcome import SILENT, Aside, Outcome, Rejection
from schemas.record import TEXT_FIELDS, InstructionRecord, Provenance, Reason, Repair, Row

FILE = "index.sqlite"
SCHEME = 3
"""Raised when the tables change."""
EVERY = 2000
"""Rows between two reports of progress."""
NEIGHBOURS = "neighbours"
"""The side file in which dedupe leaves every kept record's nearest one."""
LENGTHS = (10, 20, 50, 100, 200, 400)
"""Borders between bands of words in a row's three texts."""
ALIKE = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95)
"""Borders between bands of the cosine to the nearest neighbour."""
LANGUAGE_SURE = 0.8
"""Confidence below which a language is not named."""
LANGUAGE_HEAD = 400
"""Characters by which a language is told."""

_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE items (
  pos INTEGER PRIMARY KEY, id TEXT NOT NULL, sha256 TEXT NOT NULL, fate TEXT NOT NULL, step INTEGER NOT NULL,
  stage TEXT NOT NULL, category TEXT NOT NULL, source TEXT NOT NULL, model TEXT NOT NULL, language TEXT NOT NULL,
  words INTEGER NOT NULL, length TEXT NOT NULL, alike TEXT NOT NULL, doubt REAL NOT NULL, prompt BLOB,
  conflict TEXT NOT NULL
);
CREATE TABLE lines (pos INTEGER PRIMARY KEY, line BLOB NOT NULL);
CREATE TABLE marks (pos INTEGER NOT NULL, kind TEXT NOT NULL, code TEXT NOT NULL, other TEXT NOT NULL, score REAL);
CREATE TABLE neighbours (id TEXT NOT NULL, other TEXT NOT NULL, cosine REAL NOT NULL);
CREATE TABLE answers (key TEXT PRIMARY KEY, path TEXT NOT NULL, start INTEGER NOT NULL, bytes INTEGER NOT NULL);
CREATE TABLE places (pos INTEGER PRIMARY KEY, x REAL NOT NULL, y REAL NOT NULL, topic INTEGER NOT NULL);
CREATE TABLE topics (topic INTEGER PRIMARY KEY, label TEXT NOT NULL, x REAL NOT NULL, y REAL NOT NULL);
CREATE VIRTUAL TABLE texts USING fts5 (
  instruction, context, response, content='', tokenize='unicode61 remove_diacritics 2'
);
"""
_INDEXES = """
CREATE INDEX items_id ON items (id);
CREATE INDEX items_prompt ON items (prompt);
CREATE INDEX marks_pos ON marks (pos);
CREATE INDEX marks_code ON marks (code);
CREATE INDEX marks_other ON marks (other) WHERE other != '';
CREATE INDEX neighbours_id ON neighbours (id);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One row as the index holds it."""

    outcome: Outcome
    step: int
    """The place of its step in the chain, from 0."""
    stage: str
    cosine: float = 0.0
    """How alike its nearest neighbour is; 0 where nobody looked."""


def row_sha256(outcome: Outcome) -> str:
    """Return the hash that a decision is keyed on: of the three texts, or of all of a rejected row.

    A kept record's id is the first 16 digits of it.
    """
    if isinstance(outcome, Rejection):
        return sha256_of([outcome.id, dict(outcome.row), outcome.provenance.source, outcome.provenance.line])
    return text_sha256(outcome.instruction, outcome.context, outcome.response)


def text_sha256(*texts: str) -> str:
    """Return the hash of a record's instruction, context and response."""
    return sha256_of(list(texts))


def ensure_index(chain: Chain, folder: Path, aside: Aside = SILENT) -> Path:
    """Return the index of a step, made now unless it is there already."""
    path = folder / FILE
    identity = sha256_of([SCHEME, [one.manifest.fingerprint for one in chain.steps], chain.last.records_file.sha256])
    if _made_for(path) == identity:
        return path
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f".{FILE}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # reviewers who begin at once wait for the one who makes it
        if _made_for(path) != identity:
            _make(path, chain, identity, aside)
    return path


def _make(path: Path, chain: Chain, identity: str, aside: Aside) -> None:
    """Write the index beside its place, and rename it."""
    draft = path.with_name(f".{path.name}.writing")
    draft.unlink(missing_ok=True)
    with closing(sqlite3.connect(draft)) as db:
        db.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;" + _TABLES + TABLE)
        _fill(db, chain, aside)
        db.executescript(_INDEXES)
        note_conflicts(db, chain)
        db.execute("INSERT INTO meta VALUES ('identity', ?)", (identity,))
        db.commit()
    path.with_name("vectors.npy").unlink(missing_ok=True)
    draft.replace(path)


def _made_for(path: Path) -> str:
    if not path.is_file():
        return ""
    try:
        with closing(sqlite3.connect(path)) as db:
            found = db.execute("SELECT value FROM meta WHERE name = 'identity'").fetchone()
    except sqlite3.DatabaseError:
        return ""  # torn or of another program: it is only an index, and is made again
    return found[0] if found else ""


def _fill(db: sqlite3.Connection, chain: Chain, aside: Aside) -> None:
    cosines: dict[str, float] = {}
    for step in chain.steps:
        for row in step.rows(NEIGHBOURS):
            db.execute("INSERT INTO neighbours VALUES (?, ?, ?)", (row["id"], row["other"], row["cosine"]))
            cosines[row["id"]] = row["cosine"]
    total = chain.last.manifest.counts.kept + sum(step.manifest.counts.rejected for step in chain.steps)
    for pos, seen in enumerate(_seen(chain, cosines)):
        _insert(db, pos, seen)
        if pos % EVERY == 0:
            aside.progress("index rows", pos, total)
    aside.progress("index rows", total, total)
    for step in chain.steps:
        _index_answers(db, journal_beside(step.path) / ANSWERS)


def _seen(chain: Chain, cosines: dict[str, float]) -> Iterator[Seen]:
    last = len(chain.steps) - 1
    for record in chain.last.records():
        cosine = cosines.get(record.id, 0.0)
        yield Seen(outcome=record, step=last, stage=chain.last.manifest.stage, cosine=cosine)
    for number, step in enumerate(chain.steps):
        for rejection in step.rejections():
            yield Seen(outcome=rejection, step=number, stage=step.manifest.stage)


def _insert(db: sqlite3.Connection, pos: int, seen: Seen) -> None:
    outcome = seen.outcome
    texts = texts_of(outcome)
    came: Provenance = outcome.provenance
    fate = "rejected" if isinstance(outcome, Rejection) else "kept"
    words = sum(len(text.split()) for text in texts)
    values = (
        *(pos, outcome.id, row_sha256(outcome), fate, seen.step, seen.stage, _category(outcome)),
        *(came.source, came.model, _language(texts), words, _band(words, LENGTHS), _alike(seen.cosine), doubt(seen)),
        _prompt_key(outcome),
    )
    db.execute("INSERT INTO items VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '')", values)
    line = write_rejection(outcome) if isinstance(outcome, Rejection) else write_record(outcome)
    db.execute("INSERT INTO lines VALUES (?, ?)", (pos, line))
    db.execute("INSERT INTO texts (rowid, instruction, context, response) VALUES (?, ?, ?, ?)", (pos, *texts))
    db.executemany("INSERT INTO marks VALUES (?, ?, ?, ?, ?)", ((pos, *mark) for mark in _marks(outcome)))


def _band(value: float, borders: Iterable[float]) -> str:
    """Return the band between two borders in which a number lies, as `20 to 50`."""
    low = 0.0
    for high in borders:
        if value < high:
            return f"{low:g} to {high:g}"
        low = high
    return f"{low:g} and more"


def _alike(cosine: float) -> str:
    return _band(cosine, ALIKE) if cosine > 0 else ""


def texts_of(outcome: Outcome) -> tuple[str, str, str]:
    """Return instruction, context and response; of a row that never was a record, all of it as the first."""
    if isinstance(outcome, Rejection):
        return texts_of_row(outcome.row)
    return outcome.instruction, outcome.context, outcome.response


def texts_of_row(row: Row) -> tuple[str, str, str]:
    """Return a rejected row's texts, as `texts_of` does."""
    found = [row.get(name, "") for name in TEXT_FIELDS]
    if found[0] and all(isinstance(text, str) for text in found):
        instruction, context, response = map(_unicode, found)
        return instruction, context, response
    return " ".join(_strings(row)), "", ""


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield _unicode(value)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)


def _unicode(text: str) -> str:
    """Return a text as it can be searched: SQLite knows no half of a surrogate pair, for which a row was rejected."""
    return text.encode("utf-8", "replace").decode()


def _category(outcome: Outcome) -> str:
    found = outcome.row.get("category", "") if isinstance(outcome, Rejection) else outcome.category
    return _unicode(found) if isinstance(found, str) else ""


def _language(texts: Iterable[str]) -> str:
    language, confidence = py3langid_detector(" ".join(texts)[:LANGUAGE_HEAD])
    return language if confidence >= LANGUAGE_SURE else ""


def _prompt_key(outcome: Outcome) -> bytes | None:
    """Return what rows that ask for the same share; nothing for a row that never was a record."""
    instruction, context, _ = texts_of(outcome)
    if isinstance(outcome, Rejection) and not isinstance(outcome.row.get("instruction"), str):
        return None
    return hashlib.sha256(f"{normal_form(instruction)}\n{normal_form(context)}".encode()).digest()[:16]


def doubt(seen: Seen) -> float:
    """Return how much there is to doubt about a kept record: one a flag, a half a repair, and its nearest cosine."""
    if isinstance(seen.outcome, Rejection):
        return 0.0
    return len(seen.outcome.flags) + len(seen.outcome.repairs) / 2 + seen.cosine


def _marks(outcome: Outcome) -> Iterator[tuple[str, str, str, float | None]]:
    if isinstance(outcome, InstructionRecord):
        yield from (_mark("flag", flag) for flag in outcome.flags)
        yield from (_mark("repair", repair) for repair in outcome.repairs)
    else:
        yield from (_mark("reason", reason) for reason in outcome.reasons)


def _mark(kind: str, found: Reason | Repair) -> tuple[str, str, str, float | None]:
    if isinstance(found, Repair):
        return kind, found.code, "", None
    return kind, found.code, found.other, next(iter(found.scores.values()), None)


def _index_answers(db: sqlite3.Connection, path: Path) -> None:
    """Note where each answer stands in a journal, so that one can be read without reading them all."""
    if not path.is_file():
        return
    start = 0
    with path.open("rb") as file:
        for line in file:
            if b'"answer"' in line and (key := _answer_key(line)):
                db.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)", (key, str(path), start, len(line)))
            start += len(line)


def _answer_key(line: bytes) -> str:
    try:
        row = loads(line)
    except ValueError:
        return ""  # a line torn by a crash
    return str(row.get("key", "")) if isinstance(row, dict) and row.get("t") == "answer" else ""
