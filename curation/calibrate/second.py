"""A second labelling of the same pairs by somebody who does not see the first, and how far the two agree."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.calibrate.labels import LABELS, read_pairs
from curation.review.reliability import Table, table_of
from curation.review.sample import write_sample
from schemas.errors import InputError

Pair = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What two people said of the pairs that both labelled."""

    table: Table
    """Where it says reject, read "same": dedupe would reject one of the two."""
    apart: tuple[int, ...]
    """Lines, from 0, on which they disagree."""


def second_path(first: Path) -> Path:
    """Return where the second labelling of a file stands: pairs.jsonl → pairs.second.jsonl."""
    return first.with_name(f"{first.stem}.second{first.suffix}")


def open_second(first: Path) -> Path:
    """Return the file of the second labelling, made without the first one's labels and notes if it is not there.

    Raises:
        InputError: no such file, or a second one that holds other pairs.
    """
    pairs, path = read_pairs(first), second_path(first)
    if path.exists():
        _refuse_others(path, pairs, read_pairs(path))
    else:
        write_sample(path, ({**pair, "label": None, "note": ""} for pair in pairs))
    return path


def compared(first: Path) -> Compared | None:
    """Return how far a file's two labellings agree; None while there is only one.

    Raises:
        InputError: a file of other pairs.
    """
    path = second_path(first)
    if not path.exists():
        return None
    pairs, others = read_pairs(first), read_pairs(path)
    _refuse_others(path, pairs, others)
    return compare(pairs, others)


def compare(pairs: Iterable[Pair], others: Iterable[Pair]) -> Compared:
    """Compare two labellings of the same pairs, line by line; what one of them left open does not count."""
    said = [(one["label"], other["label"]) for one, other in zip(pairs, others, strict=True)]
    both = [(at, one, other) for at, (one, other) in enumerate(said) if one and other]
    return Compared(
        table=table_of((LABELS[one], LABELS[other]) for _, one, other in both),
        apart=tuple(at for at, one, other in both if one != other),
    )


def _refuse_others(path: Path, pairs: Sequence[Pair], others: Sequence[Pair]) -> None:
    if [(pair["a"], pair["b"]) for pair in pairs] != [(pair["a"], pair["b"]) for pair in others]:
        raise InputError(place=path, expected="a second labelling of the same pairs", found="other pairs")
