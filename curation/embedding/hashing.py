"""A small encoder without a model: for tests, and for machines without torch."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from curation.embedding.encoder import Told, Vectors, tell_nobody


@dataclass(frozen=True, slots=True, kw_only=True)
class HashingEncoder:
    """Counts runs of characters, case ignored, in a fixed number of bins. It sees spelling, not meaning."""

    dimensions: int = 512
    """Bins; runs that fall into one bin are counted together."""
    shortest: int = 3
    """Characters in the shortest run."""
    longest: int = 5
    """Characters in the longest run."""

    @property
    def identity(self) -> str:
        """What the vectors depend on besides the text."""
        return f"hashing-{self.shortest}-{self.longest}-{self.dimensions}"

    @property
    def margin(self) -> float:
        """Zero: it is the same arithmetic everywhere."""
        return 0.0

    @property
    def costly(self) -> bool:
        """No: counting is as fast as reading."""
        return False

    def encode(self, texts: Sequence[str], told: Told = tell_nobody) -> Vectors:
        """Return the vectors of the texts, shape (texts, dimensions)."""
        rows = np.zeros((len(texts), self.dimensions), np.float32)
        for at, text in enumerate(texts):
            for place, count in Counter(self._bins(text)).items():
                rows[at, place] = np.sqrt(count)
        told(len(texts), len(texts))
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        np.divide(rows, lengths, out=rows, where=lengths > 0)
        return rows

    def _bins(self, text: str) -> Iterator[int]:
        words = " ".join(text.casefold().split())
        padded = f" {words} ".encode() if words else b""
        for size in range(self.shortest, self.longest + 1):
            for start in range(len(padded) - size + 1):
                yield crc32(padded[start : start + size]) % self.dimensions
