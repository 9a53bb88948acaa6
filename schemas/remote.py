"""Inputs at an address become files.

They are fetched once into the cache folder, under a name made of the address and of what the store says of the content:
what has changed there is fetched again, and the bytes that are read are bytes that were hashed.
"""

import os
import shutil
from pathlib import Path, PurePosixPath
from typing import Any

from schemas.address import below, reading, store_at
from schemas.codec import sha256_of
from schemas.errors import InputError
from schemas.models import cache_folder


def fetched(address: str) -> Path:
    """Return where the file, or the folder of files, at an address stands on this machine.

    Raises:
        InputError: nothing there, no access, or no package for this kind of store.
    """
    with reading(address, "a file or folder that can be read"):
        store, root = store_at(address)
        names = [root] if store.isfile(root) else sorted(store.find(root))
        if not names:
            raise InputError(place=address, expected="a file or a folder of files", found="nothing")
        folder = cache_folder() / "inputs" / sha256_of([address, [[name, store.checksum(name)] for name in names]])
        if not folder.exists():
            _fetch(store, {name: _place(root, name) for name in names}, folder)
    return folder / _place(root, root) if names == [root] else folder


def _place(root: str, name: str) -> str:
    """Return where a file goes, below the folder."""
    return PurePosixPath(name).name if name == root else below(root, name)


def _fetch(store: Any, places: dict[str, str], folder: Path) -> None:
    """Copy files into a draft, and put it at `folder` by renaming: a torn copy is never read."""
    draft = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    for name, place in places.items():
        (draft / place).parent.mkdir(parents=True, exist_ok=True)
        store.get_file(name, str(draft / place))
    try:
        draft.rename(folder)
    except OSError:  # another process was sooner; what it fetched is the same
        shutil.rmtree(draft)
        if not folder.is_dir():
            raise
