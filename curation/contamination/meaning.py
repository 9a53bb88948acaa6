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
from curation.dedupe.verify import Reading, contrast, read
from curation.embedding.encoder import Encoder, Told, Vectors, tell_nobody

TILE = 4096
"""Records multiplied at a time."""
DIGITS = 4
"""Decimals of a cosine that decide; what is beyond differs between machines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """Compares prompts with items by their vectors."""

    encoder: Encoder
    items: Sequence[Item]
    threshold: float
    """Cosine from which a prompt is taken for the item."""

    def hits(self, prompts: Sequence[Prompt], told: Told = tell_nobody) -> list[Hit | None]:
        """Return the item that each prompt is most like, or none."""
        asked = [number for number, item in enumerate(self.items) if not item.is_answer]
        found: list[Hit | None] = [None] * len(prompts)
        if not asked or not prompts:
            return found
        there = self.encoder.encode([self.items[number].whole for number in asked])
        here = self.encoder.encode([prompt.text for prompt in prompts], told)
        for start in range(0, len(prompts), TILE):
            cosines = here[start : start + TILE] @ there.T
            for row in map(int, np.flatnonzero(cosines.max(1) >= self.threshold - 10**-DIGITS)):
                found[start + row] = self._best(prompts[start + row], cosines[row], asked)
        return found

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
