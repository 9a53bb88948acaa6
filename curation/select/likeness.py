"""Which records ask for nearly the same: every pair above a cosine, exactly, as dedupe finds and decides them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from curation.dedupe.prompts import prompt_of
from curation.dedupe.semantic import Cosines, Pairs, close_pairs, cosines
from curation.embedding import embeddings_folder, open_encoder
from curation.embedding.cache import CachedEncoder
from curation.embedding.encoder import Encoder, Precision, Told
from curation.select.choose import Like
from schemas.record import InstructionRecord

DIGITS = 4
"""Decimals of a cosine that decide and are shown; what is beyond differs between machines."""
HALF = 0.5 * 10**-DIGITS
"""A cosine this far below the limit still rounds up to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How prompts are compared."""

    encoder: str
    limit: float
    """Largest cosine at which two prompts may stand side by side."""
    precision: Precision = "auto"
    cache: bool = True

    def alike(self, records: Sequence[InstructionRecord], told: Told) -> Callable[[int], Iterable[Like]]:
        """Return which records each is too like; with a limit of 1 nobody is, and nothing is encoded."""
        if self.limit >= 1:
            return lambda _: ()
        places: dict[str, list[int]] = defaultdict(list)
        for rank, record in enumerate(records):
            places[prompt_of(record).text].append(rank)
        texts = sorted(text for text in places if text)
        at = {text: place for place, text in enumerate(texts)}
        near = self._near(texts, told)

        def found(rank: int) -> Iterable[Like]:
            text = prompt_of(records[rank]).text
            if text:
                yield from (Like(other, 1.0) for other in places[text] if other != rank)
                yield from (Like(other, cosine) for place, cosine in near[at[text]] for other in places[texts[place]])

        return found

    def _near(self, texts: Sequence[str], told: Told) -> dict[int, list[tuple[int, float]]]:
        """Return for each text the others that are too like it, and how like."""
        encoder = self._open(self.precision)
        vectors = encoder.encode(texts, told)
        pairs = close_pairs(vectors, self.limit - HALF - encoder.margin)
        # candidates are found in the fastest precision and decided in fp32, so that any processor decides the same
        again = encoder.margin and len(pairs.first)
        scores = (self._in_fp32(texts, pairs) if again else cosines(vectors, pairs)).round(DIGITS)
        near: dict[int, list[tuple[int, float]]] = defaultdict(list)
        for first, second, score in zip(*pairs, scores, strict=True):
            if score > self.limit:
                near[int(first)].append((int(second), float(score)))
                near[int(second)].append((int(first), float(score)))
        return near

    def _in_fp32(self, texts: Sequence[str], pairs: Pairs) -> Cosines:
        needed, places = np.unique(np.concatenate(pairs), return_inverse=True)
        vectors = self._open("fp32").encode([texts[at] for at in needed])
        first, second = places.astype(np.int32).reshape(2, -1)
        return cosines(vectors, Pairs(first, second))

    def _open(self, precision: Precision) -> Encoder:
        encoder = open_encoder(self.encoder, precision)
        return CachedEncoder(encoder=encoder, folder=embeddings_folder()) if self.cache and encoder.costly else encoder
