"""Where things stand in a file, by key, in 16 bytes an entry and some room: a dict takes twenty times as much.

Keys are hex digests, of which 64 bits are kept. Two different keys may, once in a great many, have those in common; so
whoever reads what stands at a place looks whether it is the key's. A key that is entered again has its newer place.
"""

from array import array

SMALLEST = 1 << 10
"""Places in an empty table; always a power of two."""
DIGITS = 16
"""Hex digits of a key that are kept."""
EMPTY = 0


class Index:
    """Places by key: a hash table with open addressing, never fuller than four fifths."""

    def __init__(self) -> None:
        self._count = 0
        self._digests = array("Q", bytes(8 * SMALLEST))
        self._places = array("Q", bytes(8 * SMALLEST))

    def __len__(self) -> int:
        return self._count

    def __contains__(self, key: str) -> bool:
        return self.find(key) is not None

    def find(self, key: str) -> int | None:
        """Return the place of a key, or of another one that has 64 bits in common with it."""
        digest = _digest(key)
        at = self._slot(digest)
        return self._places[at] if self._digests[at] == digest else None

    def enter(self, key: str, place: int) -> None:
        """Remember a key's place."""
        if 5 * (self._count + 1) > 4 * len(self._digests):
            self._grow()
        digest = _digest(key)
        at = self._slot(digest)
        self._count += self._digests[at] == EMPTY
        self._digests[at], self._places[at] = digest, place

    def _slot(self, digest: int) -> int:
        """Return where a digest is, or would be."""
        mask, digests = len(self._digests) - 1, self._digests
        at = digest & mask
        while digests[at] != digest and digests[at] != EMPTY:
            at = (at + 1) & mask
        return at

    def _grow(self) -> None:
        digests, places = self._digests, self._places
        self._digests = array("Q", bytes(16 * len(digests)))
        self._places = array("Q", bytes(16 * len(digests)))
        for digest, place in zip(digests, places, strict=True):
            if digest != EMPTY:
                at = self._slot(digest)
                self._digests[at], self._places[at] = digest, place


def _digest(key: str) -> int:
    return int(key[:DIGITS], 16) or 1
