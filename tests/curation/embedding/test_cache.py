"""Vectors are computed once, survive damage beside them, and are shared by processes."""

import logging
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from curation.embedding.cache import CachedEncoder
from curation.embedding.encoder import Told, Vectors, tell_nobody
from curation.embedding.hashing import HashingEncoder

TEXTS = ["List five fruits.", "", "Name a colour.", "Name a colour.", "Add two numbers."]


@dataclass(frozen=True, slots=True, kw_only=True)
class CountingEncoder:
    """Encodes by spelling and remembers what it was asked for."""

    asked: list[str] = field(default_factory=list)
    identity: str = "counting"
    margin: float = 0.0
    costly: bool = True

    def encode(self, texts: Sequence[str], told: Told = tell_nobody) -> Vectors:
        """Return the rows, noting the texts."""
        self.asked.extend(texts)
        return HashingEncoder().encode(texts, told)


def cached(folder: Path, shard: int = 2) -> CachedEncoder:
    """Return a counting encoder with its vectors kept in `folder`."""
    return CachedEncoder(encoder=CountingEncoder(), folder=folder, shard=shard)


def asked(encoder: CachedEncoder) -> list[str]:
    """Return what was really encoded."""
    assert isinstance(encoder.encoder, CountingEncoder)
    return encoder.encoder.asked


def test_rows_are_those_of_the_encoder(tmp_path: Path) -> None:
    """Cold and warm, whatever the size of a shard."""
    plain = HashingEncoder().encode(TEXTS)

    assert np.array_equal(cached(tmp_path).encode(TEXTS), plain)
    assert np.array_equal(cached(tmp_path).encode(TEXTS[::-1]), plain[::-1])


def test_a_text_is_encoded_once(tmp_path: Path) -> None:
    """Neither twice in one call nor again in the next."""
    first, second = cached(tmp_path), cached(tmp_path)

    first.encode(TEXTS)
    second.encode([*TEXTS, "A new one."])

    assert sorted(asked(first)) == sorted(set(TEXTS))
    assert asked(second) == ["A new one."]


def test_vectors_of_another_encoder_are_not_taken(tmp_path: Path) -> None:
    """Another identity is another folder."""
    cached(tmp_path).encode(TEXTS)
    other = CachedEncoder(encoder=CountingEncoder(identity="other"), folder=tmp_path)

    other.encode(TEXTS)

    assert len(asked(other)) == len(set(TEXTS))


@pytest.mark.parametrize("damage", ["torn", "foreign", "text", "not unit"])
def test_a_damaged_shard_is_left_out_with_a_line(tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    """Its texts are encoded again; the others are not."""
    cached(tmp_path).encode(TEXTS)
    victim = min((tmp_path / "counting").glob("*.npy"))
    spoil(victim, damage)
    again = cached(tmp_path)

    with caplog.at_level(logging.WARNING):
        found = again.encode(TEXTS)

    assert np.array_equal(found, HashingEncoder().encode(TEXTS))
    assert 0 < len(asked(again)) < len(set(TEXTS))
    assert f"{victim}: not a whole file of vectors" in caplog.text


def spoil(path: Path, damage: str) -> None:
    """Damage a shard in one of the ways that disks and people do."""
    if damage == "torn":
        path.write_bytes(path.read_bytes()[:-100])
    elif damage == "foreign":
        np.save(path, np.zeros((3, 3)))
    elif damage == "text":
        path.write_text("not vectors")
    else:
        shard = np.load(path)
        shard["row"][:] = 7
        np.save(path, shard)


def test_an_unfinished_shard_is_not_read(tmp_path: Path) -> None:
    """What a killed process left under its temporary name is no shard."""
    cached(tmp_path).encode(TEXTS)
    shard = next((tmp_path / "counting").glob("*.npy"))
    shard.rename(shard.with_name(f".{shard.stem}.123"))
    again = cached(tmp_path)

    again.encode(TEXTS)

    assert asked(again)


def test_a_cache_that_cannot_be_written_costs_only_time(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The vectors come all the same, and a line says why they are not kept."""
    (tmp_path / "counting").write_text("a file where the folder should be")

    found = cached(tmp_path).encode(TEXTS)

    assert np.array_equal(found, HashingEncoder().encode(TEXTS))
    assert "vectors are not kept" in caplog.text


def test_no_text_needs_no_shard(tmp_path: Path) -> None:
    """The encoder says how wide no row is."""
    assert cached(tmp_path).encode([]).shape == (0, HashingEncoder().dimensions)


def test_progress_counts_what_was_known(tmp_path: Path) -> None:
    """It begins at the texts that were found and ends at all."""
    cached(tmp_path).encode(TEXTS[:1])
    calls: list[tuple[int, int]] = []

    cached(tmp_path).encode(TEXTS, lambda done, total: calls.append((done, total)))

    assert calls[0] == (1, len(TEXTS))
    assert calls[-1] == (len(TEXTS), len(TEXTS))


def fill(folder: Path) -> None:
    """Encode many texts; run by several processes at once."""
    CachedEncoder(encoder=HashingEncoder(), folder=folder, shard=5).encode([f"text {n}" for n in range(60)])


def test_processes_may_write_at_once(tmp_path: Path) -> None:
    """Each shard is whole, and nothing temporary is left."""
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(fill, [tmp_path] * 4))
    home = tmp_path / HashingEncoder().identity

    assert [path.suffix for path in home.iterdir()] == [".npy"] * 12
    assert all(len(np.load(path)) == 5 for path in home.iterdir())
