"""Takes decisions out of a store and into another one, as files that can be read, compared and kept with a release."""

from pathlib import Path

from curation.review.events import export_lines, read_events
from curation.review.store import FILE, Store, read_store, review_beside
from schemas.errors import InputError

EXPORTED = "decisions.jsonl"


def open_store(directory: Path) -> Store:
    """Open the store of a step that was reviewed.

    Raises:
        InputError: nobody has reviewed it.
    """
    folder = review_beside(directory)
    if not (folder / FILE).is_file():
        raise InputError(place=directory, expected="a step that was reviewed", found=f"no {folder.name}/{FILE}")
    return Store(folder)


def export_to(directory: Path, path: Path) -> int:
    """Write all events of a step's review in canonical form; return how many.

    Raises:
        InputError: nobody has reviewed it.
    """
    with open_store(directory) as store:
        events = store.events()
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.writing")
    draft.write_bytes(export_lines(events))
    draft.replace(path)
    return len(events)


def export_beside(directory: Path) -> Path:
    """Write a step's decisions beside their store, and return where."""
    path = review_beside(directory) / EXPORTED
    export_to(directory, path)
    return path


def import_from(directory: Path, path: Path) -> tuple[int, int]:
    """Add the events of a file to a step's review; return how many were new, and how many there were.

    Raises:
        InputError: the file holds something else, or was changed.
    """
    events = list(read_events(path))
    with Store(review_beside(directory)) as store:
        return store.merge(events), len(events)


def verify(directory: Path, head: str = "") -> tuple[int, str, list[str]]:
    """Return how many events a review holds, the hash of the last, and a sentence for whatever is damaged.

    A chain cannot tell that its end was cut off; whoever noted its `head` at some time can.

    Raises:
        InputError: nobody has reviewed it.
    """
    with open_store(directory) as store:
        damage = store.damage()
        if head and not store.holds(head):
            damage.append(f"no event has the hash {head}: events were cut off, or it is another review's")
        return (0 if damage else len(read_store(review_beside(directory)))), store.head(), damage
