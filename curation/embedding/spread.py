"""An encoder whose texts are encoded by an engine's workers, each of which opens the model once."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from curation.embedding.encoder import Encoder, Precision, Told, Vectors, in_order_of_length, tell_nobody
from curation.engine import Engine, chunked
from schemas.errors import InputError

TEXTS = 256
"""Texts that a worker is given at a time, of like length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadEncoder:
    """Encodes elsewhere what `encoder` would encode here."""

    encoder: Encoder
    """The same encoder in this process: what the vectors are called."""
    name: str
    engine: Engine

    @property
    def identity(self) -> str:
        """The encoder's own."""
        return self.encoder.identity

    @property
    def margin(self) -> float:
        """The encoder's own."""
        return self.encoder.margin

    @property
    def costly(self) -> bool:
        """The encoder's own."""
        return self.encoder.costly

    def encode(self, texts: Sequence[str], told: Told = tell_nobody) -> Vectors:
        """Return the vectors of the texts, shape (texts, dimensions)."""
        if not texts:
            return self.encoder.encode(texts)
        places = list(chunked(in_order_of_length(texts), TEXTS))
        # `auto` would be another precision on a worker with another processor
        work = Encode(self.name, "bf16" if self.margin else "fp32", self.identity)
        parts = self.engine.map(work, ([texts[at] for at in some] for some in places))
        rows, done = np.empty((len(texts), 0), np.float32), 0
        for some, part in zip(places, parts, strict=True):
            if not done:
                rows = np.empty((len(texts), part.shape[1]), np.float32)
            rows[some] = part
            done += len(some)
            told(done, len(texts))
        return rows


@dataclass(frozen=True, slots=True)
class Encode:
    """The work of a worker."""

    name: str
    precision: Precision
    identity: str
    """Of the encoder that the starting process means: its weights and precision."""

    def __call__(self, texts: list[str]) -> Vectors:
        """Return the vectors of some texts.

        Raises:
            InputError: the worker's encoder is another one, so that its vectors would be others.
        """
        return _opened(self).encode(texts)


@cache
def _opened(work: Encode) -> Encoder:
    from curation.embedding import open_encoder  # noqa: PLC0415  # it lists the encoders, this one's kind included

    encoder = open_encoder(work.name, work.precision)
    if encoder.identity != work.identity:
        place = f"encoder {work.name!r} on a worker"
        raise InputError(place=place, expected=f"{work.identity}, as here", found=encoder.identity)
    return encoder
