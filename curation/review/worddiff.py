"""What differs between two texts, word by word."""

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Literal, NamedTuple

from rapidfuzz.distance import Indel, Opcode

MOST = 3000
"""Words of a text that are compared; what is beyond is not shown in a diff."""

# a word takes the space before it along, or spaces would match everywhere
_PARTS = re.compile(r"\s*(?:\w+|[^\w\s])|\s+")


class Piece(NamedTuple):
    """A run of words, and which of the two texts it stands in."""

    text: str
    where: Literal["both", "old", "new"]


def word_diff(old: str, new: str) -> list[Piece]:
    """Return both texts as one: what they share once, what only one has marked as that one's."""
    before, after = _PARTS.findall(old)[:MOST], _PARTS.findall(new)[:MOST]
    changes = groupby(Indel.opcodes(before, after), key=lambda change: bool(change.tag == "equal"))
    return [piece for same, group in changes for piece in _pieces(list(group), before, after, same=same)]


def _pieces(group: list[Opcode], before: list[str], after: list[str], *, same: bool) -> Iterator[Piece]:
    """Yield a run of changes: what went first, then what came."""
    old = "".join(word for change in group for word in before[change.src_start : change.src_end])
    new = "".join(word for change in group for word in after[change.dest_start : change.dest_end])
    if same:
        yield Piece(old, "both")
        return
    if old:
        yield Piece(old, "old")
    if new:
        yield Piece(new, "new")
