"""What an encoder is."""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Vectors: TypeAlias = NDArray[np.float32]
"""One row a text, of length 1; all zeros for a text without any character but spaces: its cosine with all is 0."""

Precision: TypeAlias = Literal["auto", "bf16", "fp32"]
"""How an encoder computes: `auto` takes bf16 where the processor multiplies it natively, fp32 elsewhere."""

Told: TypeAlias = Callable[[int, int], None]
"""Called with the number of texts that are done and the number of all."""


def tell_nobody(_done: int, _total: int) -> None:
    """Listen to no progress."""


def shifted(told: Told, before: int, total: int) -> Told:
    """Return who is told of a part as of the whole: `before` texts were done when the part began."""
    return lambda done, _: told(before + done, total)


PADDED = 1 << 12
"""Tokens a forward pass, each text counted as long as the longest: what bounds the memory."""


class Encoder(Protocol):
    """Turns texts into vectors, order kept; a row depends on its text alone, up to rounding."""

    @property
    def identity(self) -> str:
        """What the vectors depend on besides the text: weights and precision. It can be the name of a folder."""

    @property
    def margin(self) -> float:
        """How far a cosine of these vectors may be from the one in fp32."""

    @property
    def costly(self) -> bool:
        """True where a vector is faster looked up than computed."""

    def encode(self, texts: Sequence[str], told: Told = tell_nobody) -> Vectors:
        """Return the vectors of the texts, shape (texts, dimensions)."""


def in_order_of_length(texts: Sequence[str]) -> list[int]:
    """Return the positions of the texts from short to long, equals by their letters.

    Batches of like length waste little padding, and the order of the input decides nothing.
    """
    return sorted(range(len(texts)), key=lambda at: (len(texts[at]), texts[at]))


def in_batches(texts: Sequence[str], sizes: Sequence[int], most: int) -> Iterator[list[int]]:
    """Cut the places of texts, from small to large, into batches that stay within `most` and `PADDED`.

    `sizes` are in tokens: texts of as many letters differ by a factor of two in them, and a batch is as long as its
    longest (on Alpaca's prompts 1.6 times the real tokens, against 1.02). Blank texts have no place.
    """
    batch: list[int] = []
    for at in sorted((at for at, text in enumerate(texts) if text.strip()), key=lambda at: (sizes[at], texts[at])):
        if batch and (len(batch) == most or (len(batch) + 1) * sizes[at] > PADDED):
            yield batch
            batch = []
        batch.append(at)
    if batch:
        yield batch
