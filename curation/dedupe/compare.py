"""Encodes prompts and finds the pairs that are alike: fast to search, fp32 to decide."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from curation.dedupe.evidence import DIGITS
from curation.dedupe.semantic import TILE, Pairs, close_pairs, cosines
from curation.embedding import embeddings_folder, open_encoder
from curation.embedding.cache import SHARD, CachedEncoder
from curation.embedding.encoder import Encoder, Precision, Told, Vectors
from curation.embedding.spread import SpreadEncoder
from curation.engine import HERE, Engine
from schemas.outcome import SILENT, Aside

HALF = 0.5 * 10**-DIGITS
"""A cosine this far below a limit still rounds up to it."""

FAR = 16
"""Shards of this machine's that are one where workers are elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How texts are compared."""

    encoder: str
    precision: Precision = "auto"
    cache: bool = True
    tile: int = TILE
    aside: Aside = SILENT
    engine: Engine = HERE

    def pairs(self, texts: Sequence[str], limit: float) -> Pairs:
        """Return all pairs of texts whose cosine in fp32, rounded, is at least `limit`."""
        encoder = self._open(self.precision)
        vectors = encoder.encode(texts, self._told("embed prompts"))
        lowest = limit - HALF - encoder.margin
        told = self._told("compare prompts")
        pairs = close_pairs(vectors, lowest, tile=self.tile, told=told, engine=self.engine)
        if encoder.margin and len(pairs.first):
            pairs = self._in_fp32(texts, pairs)
        rounded = pairs._replace(scores=pairs.scores.round(DIGITS))
        return rounded.only(rounded.scores >= limit)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return vectors that decide."""
        return self._open("fp32").encode(texts, self._told("embed fields of candidates"))

    def _in_fp32(self, texts: Sequence[str], pairs: Pairs) -> Pairs:
        """Encode the texts of the pairs again, and score them anew."""
        needed, places = np.unique(np.concatenate(pairs[:2]), return_inverse=True)
        told = self._told("embed candidates in fp32")
        vectors = self._open("fp32").encode([texts[at] for at in needed], told)
        first, second = places.astype(np.int32).reshape(2, -1)
        return pairs._replace(scores=cosines(vectors, first, second))

    def _open(self, precision: Precision) -> Encoder:
        encoder, shard = open_encoder(self.encoder, precision), SHARD
        if encoder.costly and self.engine.kind == "ray":  # here torch uses all processors by itself
            encoder = SpreadEncoder(encoder=encoder, name=self.encoder, engine=self.engine)
            shard *= FAR  # workers open the model anew for every shard
        if not (self.cache and encoder.costly):
            return encoder
        return CachedEncoder(encoder=encoder, folder=embeddings_folder(), shard=shard)

    def _told(self, what: str) -> Told:
        return lambda done, total: self.aside.progress(what, done, total)
