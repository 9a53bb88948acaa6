"""Vectors that were computed once are kept on disk, by the hash of the text and the encoder's identity.

    FOLDER/IDENTITY/SHARD.npy    rows of (sha256 of the text, vector), named by the hash of its keys

A shard is written under a temporary name and renamed, and is never changed afterwards: two processes may write at
once, and a killed one leaves finished shards. What cannot be read is left out, with a line that says so.
"""

import hashlib
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation.embedding.encoder import Encoder, Told, Vectors, in_order_of_length, shifted, tell_nobody

log = logging.getLogger(__name__)

SHARD = 4096
"""Texts encoded between two writes: what a killed run loses at most."""

UNIT = 1e-3
"""How far the length of a row may be from 1; more, and the shard is damaged."""

Shard = NDArray[Any]
"""Rows of `key` and `row`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedEncoder:
    """An encoder that looks up what it has encoded before."""

    encoder: Encoder
    folder: Path
    """Where vectors of all encoders are kept."""
    shard: int = SHARD
    """Texts a shard."""

    @property
    def identity(self) -> str:
        """The encoder's own."""
        return self.encoder.identity

    @property
    def margin(self) -> float:
        """The encoder's own."""
        return self.encoder.margin

    @property
    def costly(self) -> bool:
        """No longer."""
        return False

    def encode(self, texts: Sequence[str], told: Told = tell_nobody) -> Vectors:
        """Return the vectors of the texts, shape (texts, dimensions), encoding only those that are new."""
        home = self.folder / self.identity
        keys = [key_of(text) for text in texts]
        rows = _Rows(keys)
        for shard in _shards(home):
            rows.take(shard)
        missing = rows.missing()
        told(len(texts) - rows.left, len(texts))
        for some in _parts(missing, [texts[at] for at in missing], self.shard):
            before = len(texts) - rows.left
            new = self.encoder.encode([texts[at] for at in some], shifted(told, before, len(texts)))
            rows.take(_write(home, [keys[at] for at in some], new))
        return rows.whole(self.encoder)


class _Rows:
    """The vectors asked for, as they come in."""

    def __init__(self, keys: list[bytes]) -> None:
        self._places: dict[bytes, list[int]] = {}
        for at, key in enumerate(keys):
            self._places.setdefault(key, []).append(at)
        self._rows: Vectors | None = None
        self._size = len(keys)
        self.left = len(keys)

    def take(self, shard: Shard) -> None:
        """Copy the rows that are asked for out of a shard."""
        if self._rows is None:
            self._rows = np.zeros((self._size, shard["row"].shape[1]), np.float32)
        for at, key in enumerate(shard["key"]):
            places = self._places.pop(key.tobytes(), [])
            self.left -= len(places)
            self._rows[places] = shard["row"][at]

    def missing(self) -> list[int]:
        """Return one place for each text that no shard had."""
        return [places[0] for places in self._places.values()]

    def whole(self, encoder: Encoder) -> Vectors:
        """Return all rows; with no text at all the encoder says how wide none is."""
        return encoder.encode([]) if self._rows is None else self._rows


def key_of(text: str) -> bytes:
    """Return the sha256 of a text."""
    return hashlib.sha256(text.encode()).digest()


def _parts(places: list[int], texts: list[str], size: int) -> Iterator[list[int]]:
    order = [places[at] for at in in_order_of_length(texts)]
    for start in range(0, len(order), size):
        yield order[start : start + size]


def _shape(dimensions: int) -> np.dtype[Any]:
    return np.dtype([("key", "V32"), ("row", "<f4", (dimensions,))])


def _write(home: Path, keys: list[bytes], rows: Vectors) -> Shard:
    """Write a shard; a cache that cannot be written is said, and costs only the time it would have saved."""
    shard = np.zeros(len(keys), _shape(rows.shape[1]))
    shard["key"], shard["row"] = np.frombuffer(b"".join(keys), "V32"), rows
    name = hashlib.sha256(b"".join(keys)).hexdigest()[:24]
    draft = home / f".{name}.{os.getpid()}"
    try:
        home.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as file:
            np.save(file, shard, allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(home / f"{name}.npy")
    except OSError as error:
        log.warning("%s: vectors are not kept: %s", home, error.strerror or error)
        with suppress(OSError):
            draft.unlink()
    return shard


def _shards(home: Path) -> Iterator[Shard]:
    for path in sorted(home.glob("[!.]*.npy")):
        try:
            yield _read(path)
        except (OSError, ValueError) as error:
            log.warning("%s: not a whole file of vectors, left out: %s", path, error)


def _read(path: Path) -> Shard:
    """Map a shard into memory.

    Raises:
        ValueError: torn, foreign, or rows that are no unit vectors.
    """
    shard: Shard = np.load(path, mmap_mode="r", allow_pickle=False)
    names: Mapping[str, Any] = shard.dtype.fields or {}
    if shard.ndim != 1 or "row" not in names or shard.dtype != _shape(*names["row"][0].shape):
        raise ValueError("other columns than ours")
    squares = np.square(shard["row"]).sum(1)
    if not np.all((np.abs(squares - 1) < UNIT) | (squares == 0)):
        raise ValueError("rows that are not of length 1")
    return shard
