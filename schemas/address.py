"""Addresses (`s3://`, `gs://`, `abfs://`, `dbfs:/`, `https://`, whatever else fsspec knows) and the stores there."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from schemas.errors import DollyError, InputError

_ADDRESS = re.compile(r"[a-z][a-z0-9+]+:/", re.IGNORECASE)


def is_address(place: object) -> bool:
    """Say whether a place is an address rather than a path."""
    return _ADDRESS.match(str(place)) is not None


def store_at(address: str) -> tuple[Any, str]:
    """Return the store that an address is in, and its name there; nothing that was listed before is believed."""
    import fsspec  # noqa: PLC0415  # only here

    store, root = fsspec.url_to_fs(address)
    store.invalidate_cache()
    return store, root.rstrip("/")


def reading(address: str, expected: str) -> AbstractContextManager[None]:
    """Say of what cannot be read at an address what the store says."""
    return heard(lambda words: InputError(place=address, expected=expected, found=words))


def writing(address: str, kept: Path) -> AbstractContextManager[None]:
    """Say of what cannot be put at an address what the store says, and where it is kept."""
    return heard(lambda words: DollyError(f"{address}: {words}; it is kept in {kept}, run the same again"))


def below(root: str, name: str) -> str:
    """Return where a file stands below a folder of a store.

    Raises:
        ValueError: not below it.
    """
    place = PurePosixPath(name).relative_to(PurePosixPath(root))
    if ".." in place.parts:
        raise ValueError(f"{name} is not below {root}")
    return str(place)


@contextmanager
def heard(said: Callable[[str], DollyError]) -> Iterator[None]:
    """Turn what a store says into an error of ours; every store has errors of its own kinds, few of which have a name.

    Raises:
        DollyError: what `said` makes of the store's words.
    """
    try:
        yield
    except DollyError:
        raise
    except Exception as error:
        words = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise said(words) from error
