"""A machine's share of a run's requests: `2/3` is the second of three equal parts, `1,2/3` the first two of them."""

import re
from dataclasses import dataclass
from typing import Self

from schemas.errors import InputError

DIGITS = 8
"""Hex digits of a key that decide whose a request is."""
_WRITTEN = re.compile(r"(\d{1,4}(?:,\d{1,4})*)/(\d{1,4})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """Some of so many parts."""

    parts: frozenset[int]
    """From 1."""
    of: int

    @classmethod
    def read(cls, text: str) -> Self:
        """Read what people write.

        Raises:
            InputError: not parts of a number of parts.
        """
        found = _WRITTEN.fullmatch(text)
        parts = frozenset(map(int, found[1].split(","))) if found else frozenset()
        if not found or not all(1 <= part <= int(found[2]) for part in parts):
            raise InputError(place="generate", field="shard", expected="I/N with I from 1 to N: 2/3, 1,2/3", found=text)
        return cls(parts=parts, of=int(found[2]))

    def __str__(self) -> str:
        return f"{'+'.join(map(str, sorted(self.parts)))}-of-{self.of}"

    def part_of(self, key: str) -> int:
        """Return the part that a request belongs to, by its key."""
        return int(key[:DIGITS], 16) % self.of + 1

    def has(self, key: str) -> bool:
        """Say whether a request is this machine's to send."""
        return self.part_of(key) in self.parts
