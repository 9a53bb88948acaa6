"""The weights that a journal's answers are of, for models at a path: under the same name others may stand tomorrow."""

from collections.abc import Iterable
from pathlib import Path

from schemas.codec import dumps, loads
from schemas.errors import InputError
from schemas.models import is_path
from schemas.weights import local_weights

WEIGHTS = "weights.json"


def hold_to_weights(folder: Path, names: Iterable[str]) -> None:
    """Note in a journal which weights answer, of models at a path.

    Raises:
        InputError: it holds answers of other weights of the same name, which would be taken for theirs.
    """
    file = folder / WEIGHTS
    known = loads(file.read_bytes()) if file.is_file() else {}
    here = {name: local_weights(name)[0].sha256 for name in names if is_path(name)}
    for name, sha256 in here.items():
        if known.get(name, sha256) != sha256:
            expected = f"the weights of {name} that its answers are of, {known[name][:12]}, or another journal"
            raise InputError(place=folder, expected=expected, found=sha256[:12])
    if here.items() - known.items():
        draft = folder / f".{WEIGHTS}"
        draft.write_bytes(dumps({**known, **here}))
        draft.rename(file)
