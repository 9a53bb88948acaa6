"""What an encoder is."""

from collections.abc import Callable, Iterable, Iterator, Sequence
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


PADDED = 1 << 14
"""Characters a forward pass, each text counted as long as the longest: what bounds the memory."""


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


def in_batches(order: Iterable[int], texts: Sequence[str], most: int) -> Iterator[list[int]]:
    """Cut places that go from short to long texts into batches that stay within `most` and `PADDED`."""
    batch: list[int] = []
    for at in order:
        if batch and (len(batch) == most or (len(batch) + 1) * len(texts[at]) > PADDED):
            yield batch
            batch = []
        batch.append(at)
    if batch:
        yield batch
