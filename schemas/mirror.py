"""Step directories and releases at an address (`s3://`, `gs://`, `abfs://`, whatever fsspec knows).

Each has a mirror in the cache folder. What is read is fetched into it, with the steps beside it that led there; what is
written is written there and then put at the address, its manifest last. So there, too, a manifest means that the step
is complete, and every byte that is read is verified as ever. Steps of one folder at an address are neighbours in the
cache, so that one finds the other.

What was written and could not be put, or was not before a kill, is told from what was fetched by `.NAME.there` beside
the mirror: the manifests, by their sha256, that are known to have stood at the address.

Processes of one machine that ask for the same step at once wait for the one that fetches it.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

from schemas.address import below, is_address, reading, store_at, writing
from schemas.codec import adapter, loads, sha256_of
from schemas.directory import MANIFEST
from schemas.errors import InputError
from schemas.manifest import Manifest
from schemas.models import cache_folder
from schemas.remote import fetched
from schemas.sealed import CHECKSUMS
from schemas.step import StepDirectory

WEIGHTS = frozenset((".safetensors", ".gguf"))
"""Endings of a checkpoint's large files, which say nothing of records."""
A_STEP = "a step that can be read"
ORIGIN = ".address"
"""Beside the mirrors of a folder's steps: the address of the folder."""


def mirror_of(address: str) -> Path:
    """Return where the mirror of a step at an address stands, or will."""
    parent, _, name = address.rstrip("/").rpartition("/")
    return cache_folder() / "steps" / sha256_of(parent)[:16] / name


def address_of(path: Path) -> str:
    """Return the address of which a folder is the mirror, for people and for other machines; a path is its own."""
    folder = path.resolve().parent
    origin = folder / ORIGIN
    if folder.parent != (cache_folder() / "steps").resolve() or not origin.is_file():
        return str(path)
    return f"{origin.read_text(encoding='utf-8')}/{path.name}"


def here(place: Path | str) -> Path:
    """Return where a place is on this machine: of an address, the mirror of its step, or else the files it holds.

    Raises:
        InputError: nothing can be read at the address.
    """
    if not is_address(place):
        return Path(place)
    return find_step(str(place), alone=True) or fetched(str(place))


def fetch_step(address: str, *, alone: bool = False) -> Path:
    """Bring the mirror of a step up to date, and, unless `alone`, those of the steps beside it that led to it.

    Raises:
        InputError: no finished step there, or no access to it.
    """
    step = find_step(address, alone=alone)
    if step is None:
        raise InputError(place=address, expected=f"a finished step with a {MANIFEST}", found="none")
    return step


def find_step(address: str, *, alone: bool = False, to_write: bool = False) -> Path | None:
    """Do the same where a finished step stands at an address; None where none does.

    `to_write`: a step is to be written there; one that is finished here and was not put stays, to be put.
    """
    parent, _, name = address.rstrip("/").rpartition("/")
    waiting, seen = {name}, set[str]()
    while waiting:
        one = waiting.pop()
        seen.add(one)
        if bring(f"{parent}/{one}", to_write=to_write):
            waiting |= set() if alone else _neighbours(mirror_of(f"{parent}/{one}")) - seen
        elif one == name:
            return None
    return mirror_of(address)


def fetch_steps(address: str) -> list[Path]:
    """Bring the mirrors of all finished steps at or below an address up to date, without the weights of models.

    Raises:
        InputError: none there, or no access to them.
    """
    with reading(address, A_STEP):
        store, root = store_at(address)
        names = [below(root, name) for name in sorted(store.find(root))]
    address = address.rstrip("/")
    steps = [str(PurePosixPath(name).parent) for name in names if PurePosixPath(name).name == MANIFEST]
    found = [address if name == "." else f"{address}/{name}" for name in steps]
    if not found:
        raise InputError(place=address, expected="step directories", found="none")
    return [mirror_of(one) for one in found if bring(one, weights=False)]


def bring(address: str, *, weights: bool = True, to_write: bool = False) -> bool:
    """Bring one mirror up to date; say whether a finished step stands at the address.

    Raises:
        InputError: a step was finished here and never put there, and it is not `to_write`.
    """
    mirror = mirror_of(address)
    with reading(address, A_STEP):
        store, root = store_at(address)
        there = store.cat_file(f"{root}/{MANIFEST}") if store.isfile(f"{root}/{MANIFEST}") else b""
        if to_write:
            _note_there(mirror, there)
        if not there:
            return False
        with _alone(mirror):
            is_current = _manifest(mirror) == there
            if not is_current and _is_unput(mirror):
                if to_write:
                    return True
                found = f"another one that was made here, and is to be put there: make it again, or remove {mirror}"
                raise InputError(place=address, expected="the step that was last made here", found=found)
            if not (is_current and (_is_whole(mirror) or not weights)):
                _note_there(mirror, there)
                _fetch(store, root, mirror, weights=weights)
    _note_origin(address)
    return True


def put_step(address: str) -> bool:
    """Put the mirror of a step at its address, and say whether there was anything to put.

    Raises:
        DollyError: it cannot be written there; it is kept in its mirror.
    """
    mirror = mirror_of(address)
    with writing(address, mirror):
        store, root = store_at(address)
        if not (mirror / MANIFEST).is_file() or _is_current(store, root, mirror):
            return False
        _put(store, root, mirror)
        _note_there(mirror, _manifest(mirror))
    _note_origin(address)
    return True


def _put(store: Any, root: str, mirror: Path) -> None:
    """Write a step's files; without its manifest, which goes first and comes last, nothing there is a step.

    Only what the manifest there names is removed: a mistyped address loses nothing.
    """
    names = [file.relative_to(mirror).as_posix() for file in sorted(mirror.rglob("*")) if file.is_file()]
    there = {below(root, old) for old in store.find(root)}
    gone = _named(store.cat_file(f"{root}/{MANIFEST}")) if MANIFEST in there else set()
    if foreign := there - gone - {*names}:
        raise ValueError(f"{min(foreign)} stands there, which is not this step's")
    for old in sorted(there & (gone - {*names} | {MANIFEST}), key=lambda name: (name != MANIFEST, name)):
        store.rm_file(f"{root}/{old}")
    for name in sorted(names, key=lambda name: (name == MANIFEST, name)):
        put_file(store, mirror / name, f"{root}/{name}")


def put_file(store: Any, file: Path, name: str) -> None:
    """Write a file into a store, and the folder that it stands in, where the store has such."""
    store.makedirs(str(PurePosixPath(name).parent), exist_ok=True)
    store.put_file(str(file), name)


def _named(manifest: bytes) -> set[str]:
    """Return the files of a step, by its manifest."""
    step = adapter(Manifest).validate_python(loads(manifest))
    return {MANIFEST, *(file.path for one in step.outputs for file in step.stored(one.path))}


def _fetch(store: Any, root: str, mirror: Path, *, weights: bool) -> None:
    """Copy a step into a draft, and put it in place of the mirror by renaming."""
    draft = mirror.with_name(f".{mirror.name}.fetching")
    shutil.rmtree(draft, ignore_errors=True)
    for name in _listed(store, root):
        if weights or PurePosixPath(name).suffix not in WEIGHTS:
            place = draft / name
            place.parent.mkdir(parents=True, exist_ok=True)
            store.get_file(f"{root}/{name}", str(place))
    shutil.rmtree(mirror, ignore_errors=True)
    draft.rename(mirror)


def _listed(store: Any, root: str) -> list[str]:
    """Return the files of a step; on the web those that its manifest names, because servers need not list any.

    Whoever wrote the manifest may have named anything: what is not below the step is refused before it is fetched.
    """
    if "https" not in store.protocol:
        return [below(root, name) for name in store.find(root)]
    named = _named(store.cat_file(f"{root}/{MANIFEST}"))
    more = {CHECKSUMS} if store.isfile(f"{root}/{CHECKSUMS}") else set()
    return sorted(below(root, f"{root}/{name}") for name in named | more)


def _is_current(store: Any, root: str, mirror: Path) -> bool:
    """Say whether a mirror has the manifest that stands at the address: it names every byte."""
    there = f"{root}/{MANIFEST}"
    return bool(store.isfile(there) and store.cat_file(there) == _manifest(mirror))


def _manifest(mirror: Path) -> bytes:
    file = mirror / MANIFEST
    return file.read_bytes() if file.is_file() else b""


def _is_unput(mirror: Path) -> bool:
    """Say whether a mirror holds a finished step that has never stood at the address."""
    mine, noted = _manifest(mirror), _noted(mirror)
    return bool(mine) and noted.is_file() and sha256(mine).hexdigest() not in noted.read_text().splitlines()


def _note_there(mirror: Path, manifest: bytes) -> None:
    """Note that a manifest stands, or is about to stand, at the address of a mirror; empty: none does."""
    noted = _noted(mirror)
    noted.parent.mkdir(parents=True, exist_ok=True)
    known = noted.read_text().splitlines() if noted.is_file() else [sha256(_manifest(mirror)).hexdigest()]
    noted.write_text("".join(f"{one}\n" for one in {*known, sha256(manifest).hexdigest()}))


def _noted(mirror: Path) -> Path:
    return mirror.with_name(f".{mirror.name}.there")


def _is_whole(mirror: Path) -> bool:
    """Say whether a mirror has its weights, too; whether what it has is right is found out by who reads it."""
    named = _named((mirror / MANIFEST).read_bytes())
    return all((mirror / name).is_file() for name in named if PurePosixPath(name).suffix in WEIGHTS)


def _neighbours(mirror: Path) -> set[str]:
    """Return the names of the steps beside a mirror that the step read."""
    read = (path.parent for path in StepDirectory.peek(mirror).input_paths())
    return {folder.name for folder in read if folder.parent == mirror.parent.resolve()}


def _note_origin(address: str) -> None:
    """Leave beside a mirror what `address_of` reads."""
    parent, _, _ = address.rstrip("/").rpartition("/")
    origin = mirror_of(address).parent / ORIGIN
    if not origin.is_file():
        draft = origin.with_name(f"{ORIGIN}.{os.getpid()}")
        draft.write_text(parent, encoding="utf-8")
        draft.rename(origin)


@contextmanager
def _alone(mirror: Path) -> Iterator[None]:
    """Wait until no other process of this machine brings this mirror up to date; the kernel's lock, as a step's."""
    mirror.parent.mkdir(parents=True, exist_ok=True)
    with mirror.with_name(f".{mirror.name}.fetching.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
