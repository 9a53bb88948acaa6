"""Inputs at an address (`s3://`, `gs://`, `abfs://`, `dbfs:/`, `https://` and whatever else fsspec knows) become files.

They are fetched once into the cache folder, under a name made of the address and of what the store says of the content:
what has changed there is fetched again, and the bytes that are read are bytes that were hashed.
"""

import re
import shutil
from pathlib import Path, PurePosixPath
from typing import Any

from schemas.codec import sha256_of
from schemas.errors import InputError
from schemas.models import cache_folder

_ADDRESS = re.compile(r"[a-z][a-z0-9+]+:/", re.IGNORECASE)


def is_address(source: str) -> bool:
    """Say whether `source` is an address rather than a path."""
    return _ADDRESS.match(source) is not None


def fetched(address: str) -> Path:
    """Return where the file, or the folder of files, at an address stands on this machine.

    Raises:
        InputError: nothing there, no access, or no package for this kind of store.
    """
    import fsspec  # noqa: PLC0415  # only here

    try:
        store, root = fsspec.url_to_fs(address)
        names = [root] if store.isfile(root) else sorted(store.find(root))
        if not names:
            raise InputError(place=address, expected="a file or a folder of files", found="nothing")
        folder = cache_folder() / "inputs" / sha256_of([address, [[name, store.checksum(name)] for name in names]])
        if not folder.exists():
            _fetch(store, {name: _place(root, name) for name in names}, folder)
    except (OSError, ImportError, ValueError) as error:
        found = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(place=address, expected="a file or folder that can be read", found=found) from error
    return folder / _place(root, root) if names == [root] else folder


def _place(root: str, name: str) -> str:
    """Return where a file goes, below the folder."""
    if name == root:
        return PurePosixPath(name).name
    place = PurePosixPath(name).relative_to(PurePosixPath(root))
    if ".." in place.parts:
        raise ValueError(f"{name} is not below {root}")
    return str(place)


def _fetch(store: Any, places: dict[str, str], folder: Path) -> None:
    """Copy files into a draft, and put it at `folder` by renaming: a torn copy is never read."""
    draft = folder.with_name(f".{folder.name}")
    shutil.rmtree(draft, ignore_errors=True)
    for name, place in places.items():
        (draft / place).parent.mkdir(parents=True, exist_ok=True)
        store.get_file(name, str(draft / place))
    draft.rename(folder)
