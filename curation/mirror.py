"""Step directories and releases at an address (`s3://`, `gs://`, `abfs://`, whatever fsspec knows).

Each has a mirror in the cache folder. What is read is fetched into it, with the steps beside it that led there; what is
written is written there and then put at the address, its manifest last. So there, too, a manifest means that the step
is complete, and every byte that is read is verified as ever. Steps of one folder at an address are neighbours in the
cache, so that one finds the other.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from schemas.codec import adapter, loads, sha256_of
from schemas.errors import DollyError, InputError
from schemas.manifest import Manifest
from schemas.models import cache_folder
from schemas.step import MANIFEST, StepDirectory


def mirror_of(address: str) -> Path:
    """Return where the mirror of a step at an address stands, or will."""
    parent, _, name = address.rstrip("/").rpartition("/")
    return cache_folder() / "steps" / sha256_of(parent)[:16] / name


def fetch_step(address: str) -> Path:
    """Bring the mirror of a step up to date, and those of the steps beside it that led to it.

    Raises:
        InputError: no finished step there, or no access to it.
    """
    step = find_step(address)
    if step is None:
        raise InputError(place=address, expected=f"a finished step with a {MANIFEST}", found="none")
    return step


def find_step(address: str) -> Path | None:
    """Do the same where a finished step stands at an address; None where none does."""
    parent, _, name = address.rstrip("/").rpartition("/")
    waiting, seen = {name}, set[str]()
    while waiting:
        one = waiting.pop()
        seen.add(one)
        if _bring(f"{parent}/{one}"):
            waiting |= _neighbours(mirror_of(f"{parent}/{one}")) - seen
        elif one == name:
            return None
    return mirror_of(address)


def _bring(address: str) -> bool:
    """Bring one mirror up to date; say whether a finished step stands at the address."""
    with _reading(address):
        store, root = _store(address)
        if not store.isfile(f"{root}/{MANIFEST}"):
            return False
        if not _is_current(store, root, mirror_of(address)):
            _fetch(store, root, mirror_of(address))
        return True


def put_step(address: str) -> bool:
    """Put the mirror of a step at its address, and say whether there was anything to put.

    Raises:
        DollyError: it cannot be written there; it is kept in its mirror.
    """
    here = mirror_of(address)
    try:
        store, root = _store(address)
        if not (here / MANIFEST).is_file() or _is_current(store, root, here):
            return False
        _put(store, root, here)
    except (OSError, ImportError, ValueError) as error:
        raise DollyError(f"{address}: {_first(error)}; the step is kept in {here}, run the same again") from error
    return True


def _put(store: Any, root: str, here: Path) -> None:
    """Write a step's files; without its manifest, which goes first and comes last, nothing there is a step.

    Only what the manifest there names is removed: a mistyped address loses nothing.
    """
    names = [file.relative_to(here).as_posix() for file in sorted(here.rglob("*")) if file.is_file()]
    there = {_below(root, old) for old in store.find(root)}
    gone = _named(store.cat_file(f"{root}/{MANIFEST}")) if MANIFEST in there else set()
    if foreign := there - gone - {*names}:
        raise ValueError(f"{min(foreign)} stands there, which is not this step's")
    for old in sorted(there & (gone - {*names} | {MANIFEST}), key=lambda name: (name != MANIFEST, name)):
        store.rm_file(f"{root}/{old}")
    for name in sorted(names, key=lambda name: (name == MANIFEST, name)):
        store.makedirs(str(PurePosixPath(f"{root}/{name}").parent), exist_ok=True)
        store.put_file(str(here / name), f"{root}/{name}")


def _named(manifest: bytes) -> set[str]:
    """Return the files of a step, by its manifest."""
    step = adapter(Manifest).validate_python(loads(manifest))
    return {MANIFEST, *(file.path for one in step.outputs for file in step.stored(one.path))}


def _fetch(store: Any, root: str, here: Path) -> None:
    """Copy a step into a draft, and put it in place of the mirror by renaming."""
    draft = here.with_name(f".{here.name}.fetching")
    shutil.rmtree(draft, ignore_errors=True)
    for name in store.find(root):
        place = draft / _below(root, name)
        place.parent.mkdir(parents=True, exist_ok=True)
        store.get_file(name, str(place))
    shutil.rmtree(here, ignore_errors=True)
    draft.rename(here)


def _is_current(store: Any, root: str, here: Path) -> bool:
    """Say whether a mirror has the manifest that stands at the address: it names every byte."""
    there, mine = f"{root}/{MANIFEST}", here / MANIFEST
    return mine.is_file() and store.isfile(there) and store.cat_file(there) == mine.read_bytes()


def _neighbours(here: Path) -> set[str]:
    """Return the names of the steps beside a mirror that the step read."""
    read = (path.parent for path in StepDirectory.peek(here).input_paths())
    return {folder.name for folder in read if folder.parent == here.parent.resolve()}


def _below(root: str, name: str) -> str:
    place = PurePosixPath(name).relative_to(PurePosixPath(root))
    if ".." in place.parts:
        raise ValueError(f"{name} is not below {root}")
    return str(place)


def _store(address: str) -> tuple[Any, str]:
    import fsspec  # noqa: PLC0415  # only here

    store, root = fsspec.url_to_fs(address)
    store.invalidate_cache()
    return store, root.rstrip("/")


@contextmanager
def _reading(address: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ImportError, ValueError) as error:
        raise InputError(place=address, expected="a step that can be read", found=_first(error)) from error


def _first(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
