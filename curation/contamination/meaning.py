"""By meaning: which benchmark prompts a record asks in other words.

Every record is held against every item, a tile at a time; what is like an item and differs from it in a number, a name
or the like asks something else (see `curation.dedupe.verify`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from curation.contamination.benchmark import Item
from curation.contamination.overlap import Hit
from curation.dedupe.prompts import Prompt
from curation.dedupe.reading import Reading, read
from curation.dedupe.verify import contrast
from curation.embedding.encoder import Encoder, Told, Vectors, tell_nobody

TILE = 4096
"""Records multiplied at a time."""
DIGITS = 4
"""Decimals of a cosine that decide; what is beyond differs between machines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """Compares prompts with items by their vectors."""

    encoder: Encoder
    """Finds candidates, in whatever precision is fastest."""
    sure: Encoder
    """Decides about them, in fp32: the same on any machine."""
    items: Sequence[Item]
    threshold: float
    """Cosine from which a prompt is taken for the item."""

    def hits(self, prompts: Sequence[Prompt], told: Told = tell_nobody) -> list[Hit | None]:
        """Return the item that each prompt is most like, or none."""
        found: list[Hit | None] = [None] * len(prompts)
        asked = [number for number, item in enumerate(self.items) if not item.is_answer]
        texts = [self.items[number].whole for number in asked]
        likely = self._likely(texts, prompts, told) if asked and prompts else []
        if likely:
            there = self.sure.encode(texts)
            here = self.sure.encode([prompts[row].text for row in likely])
            for row, vector in zip(likely, here, strict=True):
                found[row] = self._best(prompts[row], vector @ there.T, asked)
        return found

    def _likely(self, texts: Sequence[str], prompts: Sequence[Prompt], told: Told) -> list[int]:
        """Return the prompts that may reach the threshold, in spite of what a fast encoder is off by."""
        there = self.encoder.encode(texts)
        here = self.encoder.encode([prompt.text for prompt in prompts], told)
        limit = self.threshold - self.encoder.margin - 10**-DIGITS
        rows: list[int] = []
        for start in range(0, len(prompts), TILE):
            products = here[start : start + TILE] @ there.T
            rows += (np.flatnonzero(products.max(1) >= limit) + start).tolist()
        return rows

    def _best(self, prompt: Prompt, cosines: Vectors, asked: Sequence[int]) -> Hit | None:
        """Return the most alike item that the prompt does not differ from in what matters."""
        mine = read(prompt)
        for at in np.argsort(-cosines, kind="stable"):
            score = round(float(cosines[at]), DIGITS)
            if score < self.threshold:
                return None
            item = self.items[asked[at]]
            if contrast(mine, _reading(Prompt(item.text, item.context))) is None:
                return Hit(asked[at], "embedding", score)
        return None


@cache
def _reading(prompt: Prompt) -> Reading:
    return read(prompt)
