"""Reads the pairs that people labelled, and says of each line that cannot be used why."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.codec import dumps, loads
from schemas.errors import InputError
from schemas.record import TEXT_FIELDS, InstructionRecord

LABELS = {"same": True, "distinct": False}
"""What people may write, and whether a training set needs only one of the two; null is undecided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledPair:
    """Two records, and what people say of them."""

    a: InstructionRecord
    b: InstructionRecord
    same: bool
    cosine: float
    """As it was when the pair was drawn."""
    bin: float
    """Lower edge of the bin it was drawn from."""
    of: int
    """Pairs in that bin."""
    drawn: Mapping[str, Any]
    """Encoder, fingerprint of the data and seed."""


def read_labels(path: Path) -> list[LabelledPair]:
    """Return the labelled lines of a file of pairs.

    Raises:
        InputError: no such file, a line that is no drawn pair, a label that is none of LABELS, or no label.
    """
    lines = _lines(path)
    pairs = [pair for number, line in enumerate(lines, 1) if (pair := _read(line, f"{path}:{number}")) is not None]
    if not pairs:
        expected = f"a label of at least one pair: {' or '.join(LABELS)}"
        raise InputError(place=path, expected=expected, found=f"{len(lines)} pairs without one")
    if len({(str(pair.drawn.get("encoder")), str(pair.drawn.get("fingerprint"))) for pair in pairs}) > 1:
        raise InputError(place=path, expected="pairs of one data set and encoder", found="several")
    return pairs


def read_pairs(path: Path) -> list[dict[str, Any]]:
    """Return all lines of a file of pairs, labelled or not.

    Raises:
        InputError: no such file, or a line that is no drawn pair.
    """
    rows = []
    for number, line in enumerate(_lines(path), 1):
        place = f"{path}:{number}"
        try:
            row = loads(line)
            label = row["label"]
            _read(dumps({**row, "label": label or "same"}), place)  # an unlabelled line has to be a pair, too
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(place=place, expected="a pair as it was drawn", found=f"{error!r}") from error
        rows.append(row)
    return rows


def _lines(path: Path) -> list[bytes]:
    if not path.is_file():
        raise InputError(place=path, expected="a file that dolly-data calibrate sample wrote", found="nothing")
    return [line for line in path.read_bytes().splitlines() if line.strip()]


def _read(line: bytes, place: str) -> LabelledPair | None:
    try:
        row = loads(line)
        label = row["label"]
        if label in (None, ""):
            return None
        if label not in LABELS:
            raise InputError(place=place, field="label", expected=f"{', '.join(LABELS)} or null", found=str(label))
        a, b = (InstructionRecord(**{name: row[side][name] for name in TEXT_FIELDS}) for side in "ab")
        numbers = {"cosine": float(row["cosine"]), "bin": float(row["bin"]), "of": int(row["of"])}
        return LabelledPair(a=a, b=b, same=LABELS[label], drawn=dict(row["drawn"]), **numbers)  # type: ignore[arg-type]  # of is an int
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(place=place, expected="a pair as it was drawn", found=f"{error!r}") from error
