"""What differs between two texts, word by word."""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

MOST = 3000
"""Words of a text that are compared; what is beyond is not shown in a diff."""

_PARTS = re.compile(r"\w+|[^\w\s]|\s+")


class Piece(NamedTuple):
    """A run of words, and which of the two texts it stands in."""

    text: str
    where: Literal["both", "old", "new"]


def word_diff(old: str, new: str) -> list[Piece]:
    """Return both texts as one: what they share once, what only one has marked as that one's."""
    before, after = _PARTS.findall(old)[:MOST], _PARTS.findall(new)[:MOST]
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    return [piece for change in matcher.get_opcodes() for piece in _pieces(change, before, after)]


def _pieces(change: tuple[str, int, int, int, int], before: list[str], after: list[str]) -> Iterator[Piece]:
    kind, old_start, old_end, new_start, new_end = change
    if kind == "equal":
        yield Piece("".join(before[old_start:old_end]), "both")
        return
    if old_end > old_start:
        yield Piece("".join(before[old_start:old_end]), "old")
    if new_end > new_start:
        yield Piece("".join(after[new_start:new_end]), "new")
