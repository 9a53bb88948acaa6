"""Recipes walked at an address: each step is put there as it is finished, so that any machine goes on from there.

    s3://bucket/runs/
      1-generate/  2-filter/   steps, the manifest last
      1-generate.journal/      what a step keeps beside it
      3-review.jsonl           what is no step: a sample for people, a report

The recipe is walked in the mirror of that folder. First its steps are brought there; a file that people may have
changed at the address is taken from there, and a journal of which there is one here stays as it is here, because it
may hold answers that were paid for and never put.
"""

import shutil
from collections.abc import Callable, Collection, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from curation.engine import HERE, Engine
from curation.recipes import Done, places, walk_recipe
from schemas.address import below, is_address, reading, store_at, writing
from schemas.directory import MANIFEST
from schemas.mirror import bring, mirror_of, put_file, put_step
from schemas.outcome import Aside
from schemas.recipe import Recipe
from schemas.step import is_step

APART = (".review", ".resume")
"""Endings of what stands beside a step and is not put: what people decide, and the state of an unfinished training."""


def walk(
    recipe: Recipe,
    place: str,
    *,
    aside: Aside,
    force: bool = False,
    engine: Engine = HERE,
    put: Callable[[str], None] = lambda _: None,
) -> Iterator[Done]:
    """Yield each step of the recipe as it is done, in a folder or at an address; `put` is told what was put there.

    Raises:
        InputError: the address cannot be read, or as for `walk_recipe`.
        DollyError: a step failed, or cannot be put there; finished ones are kept.
    """
    if not is_address(place):
        yield from walk_recipe(recipe, Path(place), aside=aside, force=force, engine=engine)
        return
    address = place.rstrip("/")
    folder = _fetch(address, {path.name for path in places(recipe, Path())})
    for done in walk_recipe(recipe, folder, aside=aside, force=force, engine=engine):
        for one in _put(address, done):
            put(one)
        yield done


def _fetch(address: str, stems: Collection[str]) -> Path:
    """Bring what a recipe's steps left at an address into the mirror of the folder, and return it."""
    folder = mirror_of(f"{address}/{MANIFEST}").parent
    folder.mkdir(parents=True, exist_ok=True)
    with reading(address, "a folder that can be read"):
        store, root = store_at(address)
        names = [below(root, name) for name in sorted(store.find(root))]
        for top in sorted({PurePosixPath(name).parts[0] for name in names}):
            if not any(_is_of(stem, top) for stem in stems):
                continue
            if f"{top}/{MANIFEST}" in names:
                bring(f"{address}/{top}", to_write=True)
            elif top in names or not (folder / top).exists():
                _copy(store, root, [name for name in names if PurePosixPath(name).parts[0] == top], folder)
    return folder


def _copy(store: Any, root: str, names: list[str], folder: Path) -> None:
    """Copy what is no step, each file by renaming."""
    for name in names:
        draft = folder / f".{PurePosixPath(name).parts[0]}.fetching"
        store.get_file(f"{root}/{name}", str(draft))
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(draft, folder / name)


def _put(address: str, done: Done) -> Iterator[str]:
    """Put what a step of a recipe left, and what stands beside it, and yield the address of each."""
    beside = [path for path in done.path.parent.iterdir() if _is_of(done.path.stem, path.name)]
    for path in sorted(beside, key=lambda path: (is_step(path), path)):  # steps last: they say that it is done
        there = f"{address}/{path.name}"
        if put_step(there) if is_step(path) else _put_files(there, path, anew=not done.reused):
            yield there


def _put_files(address: str, path: Path, *, anew: bool) -> bool:
    """Put a file, or a folder of files that is no step; where it was not made now, only what is not there."""
    with writing(address, path):
        store, root = store_at(address)
        files = {f"{root}/{below(str(path), str(file))}": file for file in path.rglob("*") if file.is_file()}
        wanted = {name: file for name, file in (files or {root: path}).items() if anew or not store.isfile(name)}
        for name, file in wanted.items():
            put_file(store, file, name)
    return bool(wanted)


def _is_of(stem: str, name: str) -> bool:
    """Say whether something stands beside a step under its name: `3-select-random`, `1-generate.journal`."""
    return (name == stem or name.startswith((f"{stem}.", f"{stem}-"))) and not name.endswith(APART)
