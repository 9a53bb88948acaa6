"""Puts a folder at a path, at an address that fsspec knows, or into a data set of the Hub; whole, or not at all."""

import re
from pathlib import Path
from typing import Any

from schemas.directory import MANIFEST
from schemas.errors import InputError

HUB = "hf://"
_DATASET = re.compile(r"hf://datasets/([\w.-]+/[\w.-]+)/?")
_SNAPSHOT = re.compile(r"snapshot-\d{6,}")
_USER = re.compile(r"(?<=://)[^/\s@]*@")
_QUERY = re.compile(r"(://[^\s?]*)\?\S*")


def without_secrets(text: str) -> str:
    """Return a text whose addresses name no user, password or query."""
    return _QUERY.sub(r"\1", _USER.sub("", text))


def known_destination(dest: str) -> str:
    """Return a destination.

    Raises:
        InputError: an address at the Hub that names no data set.
    """
    if dest.startswith(HUB) and not _DATASET.fullmatch(dest):
        raise InputError(place="generate", field="push_to", expected="hf://datasets/ORG/NAME", found=dest)
    return dest


def deliver(folder: Path, dest: str, name: str) -> None:
    """Put the files of a folder at `dest`, under `name` where it is no repository; earlier snapshots go."""
    if dest.startswith(HUB):
        _commit(folder, dest, name)
        return
    import fsspec  # noqa: PLC0415  # only here

    store, root = fsspec.url_to_fs(dest)
    root = root.rstrip("/")
    _put(store, folder, root, name)
    for path in store.ls(root, detail=False):
        found = path.rstrip("/").rpartition("/")[2]
        if _SNAPSHOT.fullmatch(found) and found != name:
            store.rm(path, recursive=True)


def _put(store: Any, folder: Path, root: str, name: str) -> None:
    """Write under another name and rename; the manifest, which says that all is there, comes last.

    Where a store has no renaming its files are copied one by one: what has no manifest is no snapshot yet.
    """
    target, draft = f"{root}/{name}", f"{root}/.{name}.writing"
    for old in (draft, target):
        if store.exists(old):
            store.rm(old, recursive=True)
    store.makedirs(draft, exist_ok=True)
    for file in sorted(folder.iterdir()):
        if file.name != MANIFEST:
            store.put_file(str(file), f"{draft}/{file.name}")
    store.mv(draft, target, recursive=True)
    store.put_file(str(folder / MANIFEST), f"{target}/.{MANIFEST}.writing")
    store.mv(f"{target}/.{MANIFEST}.writing", f"{target}/{MANIFEST}")


def _commit(folder: Path, dest: str, name: str) -> None:
    """Make it one commit; a data set that is not there yet is made, for its owner's eyes alone.

    Raises:
        InputError: a data set with files that are no snapshot's.
    """
    from huggingface_hub import HfApi  # noqa: PLC0415  # heavy

    found = _DATASET.fullmatch(known_destination(dest))
    assert found is not None, "known"
    api: Any = HfApi()
    api.create_repo(found[1], repo_type="dataset", private=True, exist_ok=True)
    there = {file for file in api.list_repo_files(found[1], repo_type="dataset") if not file.startswith(".")}
    if foreign := there - {file.name for file in folder.iterdir()}:
        expected = "a new data set, or one of snapshots alone"
        raise InputError(place=dest, expected=expected, found=f"one with {min(foreign)}")
    api.upload_folder(repo_id=found[1], repo_type="dataset", folder_path=folder, commit_message=name)
