"""Losses that were computed once are kept on disk, by the hash of the texts and all that the losses depend on.

    FOLDER/IDENTITY.sqlite    sha256 of instruction, context, response → losses and token counts

Two processes may write at once, and a killed one loses the part it was at. A cache that cannot be used is said, and
costs only the time that it would have saved.
"""

import hashlib
import logging
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import orjson

from schemas.record import InstructionRecord

log = logging.getLogger(__name__)

TABLE = "create table if not exists losses (key blob primary key, given real, alone real, prompt int, response int)"
WAIT_S = 60.0
"""Seconds to wait for another process that is writing."""


class Measured(NamedTuple):
    """What a model made of a record."""

    given: float
    """Mean loss of the response's tokens after the prompt, in nats."""
    alone: float
    """The same without the prompt."""
    prompt: int
    """Tokens of the prompt."""
    response: int
    """Tokens of the response."""


class Cache:
    """Losses by record, of one identity."""

    def __init__(self, base: sqlite3.Connection | None) -> None:
        self._base = base

    def find(self, records: Iterable[InstructionRecord]) -> dict[bytes, Measured]:
        """Return what is known of records, by their keys."""
        if self._base is None:
            return {}
        # a loss that is no number was written as null
        ask = "select given, alone, prompt, response from losses where key = ? and given + alone is not null"
        rows = ((key, self._base.execute(ask, (key,)).fetchone()) for key in map(key_of, records))
        return {key: Measured(*row) for key, row in rows if row}

    def keep(self, found: Mapping[bytes, Measured]) -> None:
        """Write down what was measured."""
        if self._base is None:
            return
        try:
            with self._base:
                rows = [(key, *measured) for key, measured in found.items()]
                self._base.executemany("insert or replace into losses values (?, ?, ?, ?, ?)", rows)
        except sqlite3.Error as error:
            log.warning("losses are not kept: %s", error)


@contextmanager
def open_cache(folder: Path | None, identity: str) -> Iterator[Cache]:
    """Open the cache of an identity in `folder`; None: nothing is kept."""
    base = _connect(folder / f"{identity}.sqlite") if folder else None
    if base is None:
        yield Cache(None)
    else:
        with closing(base):
            yield Cache(base)


def key_of(record: InstructionRecord) -> bytes:
    """Return the sha256 of a record's texts."""
    return hashlib.sha256(orjson.dumps([record.instruction, record.context, record.response])).digest()


def _connect(path: Path) -> sqlite3.Connection | None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        base = sqlite3.connect(path, timeout=WAIT_S)
        base.execute(TABLE)
    except (OSError, sqlite3.Error) as error:
        log.warning("%s: losses are not kept: %s", path, error)
        return None
    return base
