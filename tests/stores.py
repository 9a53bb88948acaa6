"""Stores that tests read from and write to: one in memory, and the cache folder of a machine of their own."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fsspec
import pytest


@contextmanager
def memory_store(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Give an empty store in memory, and let mirrors stand in `cache`."""
    monkeypatch.setenv("DOLLY_CACHE", str(cache))
    memory = fsspec.filesystem("memory")
    yield memory
    memory.rm("/", recursive=True)


def elsewhere(cache: Path) -> None:
    """Go on as on another machine: nothing is in the cache."""
    shutil.rmtree(cache)
