"""A pair as a screen shows it: side by side, and in each field what only one of the two has."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from curation.dedupe.prompts import Prompt
from curation.dedupe.reading import read
from curation.dedupe.verify import contrast
from curation.review.worddiff import Piece, word_diff
from schemas.codec import sha256_of
from schemas.record import TEXT_FIELDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of both records."""

    name: str
    equal: bool
    """Both hold the same text."""
    a: tuple[Piece, ...]
    b: tuple[Piece, ...]
    more_a: int = 0
    """Characters beyond what was compared, which are not shown."""
    more_b: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is kept from a person until a label is given."""

    label: str
    cosine: float
    contrast: str
    """What lets dedupe keep both however alike they are; empty: nothing does."""


def name_of(pair: dict[str, Any]) -> str:
    """Return what a pair is called in a form: the digest of its texts."""
    return sha256_of([pair["a"], pair["b"]])


def fields_of(pair: dict[str, Any]) -> Iterator[Field]:
    """Yield the fields that one of the two records fills."""
    for name in TEXT_FIELDS:
        a, b = pair["a"][name], pair["b"][name]
        if a or b:
            yield _field(name, a, b)


def told_of(pair: dict[str, Any]) -> Told | None:
    """Return how alike a pair is and what the rules say of its prompts; None while it has no label."""
    if not pair["label"]:
        return None
    a, b = (read(Prompt(pair[side]["instruction"], pair[side]["context"])) for side in "ab")
    return Told(label=pair["label"], cosine=pair["cosine"], contrast=contrast(a, b) or "")


def _field(name: str, a: str, b: str) -> Field:
    pieces = word_diff(a, b)
    mine = tuple(piece for piece in pieces if piece.where != "new")
    theirs = tuple(piece for piece in pieces if piece.where != "old")
    return Field(name=name, equal=a == b, a=mine, b=theirs, more_a=_more(a, mine), more_b=_more(b, theirs))


def _more(text: str, pieces: tuple[Piece, ...]) -> int:
    return len(text) - sum(len(piece.text) for piece in pieces)
