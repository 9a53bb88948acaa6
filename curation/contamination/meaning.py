"""By meaning: which benchmark items a record's prompt asks, or its response says, in other words.

Every record is held against every item, a tile at a time; what is like an item and differs from it in a number, a name
or the like is something else (see `curation.dedupe.verify`). A prompt is held against prompts, a response against
prompts and answers: it may ask an item, as where records make up exercises, or give its answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias

import numpy as np

from curation.contamination.benchmark import Item
from curation.contamination.overlap import Hit
from curation.dedupe.prompts import Prompt, prompt_of
from curation.dedupe.reading import Reading, read
from curation.dedupe.verify import CONTRASTS, contrast
from curation.embedding.encoder import Encoder, Told, Vectors, tell_nobody
from schemas.record import InstructionRecord

TILE = 4096
"""Records multiplied at a time."""
DIGITS = 4
"""Decimals of a cosine that decide; what is beyond differs between machines."""
FACTS = ("numbers", "operators", "units", "negation", "opposites", "names")
"""What two answers can differ in though they are alike; the other contrasts are about what is asked."""

Side: TypeAlias = Literal["instruction", "response"]
"""The part of a record whose meaning is compared; an instruction with its context."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """Compares one side of records with items by its vectors."""

    encoder: Encoder
    """Finds candidates, in whatever precision is fastest."""
    sure: Encoder
    """Decides about them, in fp32: the same on any machine."""
    items: Sequence[Item]
    threshold: float
    """Cosine from which a text is taken for the item."""
    side: Side = "instruction"

    def hits(self, records: Sequence[InstructionRecord], told: Told = tell_nobody) -> list[Hit | None]:
        """Return the item that each record's side is most like, or none."""
        said = [self._said(record) for record in records]
        found: list[Hit | None] = [None] * len(said)
        sought = [at for at, item in enumerate(self.items) if self.side == "response" or not item.is_answer]
        texts = [self.items[number].whole for number in sought]
        likely = self._likely(texts, said, told) if sought and said else []
        if likely:
            there = self.sure.encode(texts)
            here = self.sure.encode([said[row].text for row in likely])
            for row, vector in zip(likely, here, strict=True):
                found[row] = self._best(said[row], vector @ there.T, sought)
        return found

    def _said(self, record: InstructionRecord) -> Prompt:
        return prompt_of(record) if self.side == "instruction" else Prompt(record.response.strip(), "")

    def _likely(self, texts: Sequence[str], said: Sequence[Prompt], told: Told) -> list[int]:
        """Return the rows that may reach the threshold, in spite of what a fast encoder is off by."""
        there = self.encoder.encode(texts)
        here = self.encoder.encode([one.text for one in said], told)
        limit = self.threshold - self.encoder.margin - 10**-DIGITS
        rows: list[int] = []
        for start in range(0, len(said), TILE):
            products = here[start : start + TILE] @ there.T
            rows += (np.flatnonzero(products.max(1) >= limit) + start).tolist()
        return rows

    def _best(self, said: Prompt, cosines: Vectors, sought: Sequence[int]) -> Hit | None:
        """Return the most alike item from which the text does not differ in what matters."""
        mine = read(said)
        for at in np.argsort(-cosines, kind="stable"):
            score = round(float(cosines[at]), DIGITS)
            if score < self.threshold:
                return None
            if not _differs(mine, self.items[sought[at]]):
                return Hit(sought[at], "embedding", score)
        return None


def _differs(mine: Reading, item: Item) -> bool:
    """Say whether a text that is like an item is something else."""
    theirs = _reading(Prompt(item.text, item.context))
    if item.is_answer:
        return any(CONTRASTS[name](mine, theirs) for name in FACTS)
    return contrast(mine, theirs) is not None


@cache
def _reading(prompt: Prompt) -> Reading:
    return read(prompt)
