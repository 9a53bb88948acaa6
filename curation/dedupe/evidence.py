"""Decides whether two records whose prompts are alike do ask for the same, on the evidence of all their fields.

The cosine of the prompts proposes. Then, field by field:

- a contrast between the prompts keeps both (see `verify`); but where it is no more than a word or two that the other
  prompt lacks, and the responses say the same, those words made no difference;
- two contexts that are alike say nothing about what is asked of them: there the instructions alone must be alike, too;
- two brief responses with different numbers, or "yes" and "no", are two answers. Either the questions differ or one
  answer is wrong, and which of them is for a person to say.

Responses and instructions are encoded for the few records that need it, in fp32. They are not known when they are first
asked for: the decision then goes on as if they agreed, and is taken again once they are (`gather`).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache

import numpy as np

from curation.dedupe.pool import Pool
from curation.dedupe.reading import Reading, read
from curation.dedupe.verify import CONTENT, contrast, unmatched
from curation.embedding.encoder import Vectors

DIGITS = 4
"""Decimals of a cosine that decide and are shown; what is beyond differs between machines."""

AGREE = 0.85
"""Cosine of two responses from which they say the same."""

EXCUSED = 2
"""Words without a counterpart that are excused where the responses say the same."""

TASK = 0.6
"""Cosine of two instructions below which they are different tasks, however alike the contexts are."""

BRIEF = 5
"""Words of a response that is an answer and no more."""

UNNAMED, NAMED = "much content", "named content"
"""Contents that responses cannot excuse: of more words, or with a name among them."""

OPEN = (CONTENT, UNNAMED)
"""Contrasts that are a matter of degree."""

REMEMBERED = 1 << 14
"""Readings of prompts that are kept for the next comparison."""

_NUMBER = re.compile(r"(?:(?<!\w)[-\u2212])?\d+(?:[.,]\d+)*")
_TRUE = re.compile(r"\W*(?:(yes|true)|no|false)\b", re.IGNORECASE)

Encode = Callable[[Sequence[str]], Vectors]


@dataclass(slots=True)
class Fields:
    """Cosines of single fields, encoded on demand and many at a time."""

    encode: Encode
    """Encodes texts in the precision that decides."""
    _known: dict[str, Vectors] = field(default_factory=dict)
    _wanted: dict[str, None] = field(default_factory=dict)
    _equal: set[str] = field(default_factory=set)
    """Texts that were held against themselves, and need no vector for it."""
    unknown: int = 0
    """How often a cosine was asked for that was not known."""

    def reaches(self, one: str, other: str, limit: float) -> bool:
        """Say whether two texts are at least this much alike; yes, as long as it is not known."""
        if one == other:
            self._equal.add(one)
        cosine = self.cosine(one, other)
        if cosine is None:
            self.unknown += 1
            self._wanted.update(dict.fromkeys((one, other)))
        return cosine is None or cosine >= limit

    def cosine(self, one: str, other: str) -> float | None:
        """Return how alike two texts are, where that is known."""
        if one == other and one in self._equal:
            return 1.0
        if one not in self._known or other not in self._known:
            return None
        return round(float(self._known[one].astype(np.float64) @ self._known[other]), DIGITS)

    def gather(self) -> bool:
        """Encode what was wanted and not known; say whether anything was."""
        texts = [text for text in self._wanted if text not in self._known]
        self._wanted.clear()
        if texts:
            self._known.update(zip(texts, self.encode(texts), strict=True))
        return bool(texts)


class Evidence:
    """What there is to know about pairs of records in a pool."""

    def __init__(self, pool: Pool, encode: Encode) -> None:
        self._pool, self._fields = pool, Fields(encode)
        self._reading = lru_cache(REMEMBERED)(self._read)
        self._record = lru_cache(REMEMBERED)(pool.__getitem__)
        self._kind = cache(self._compare)  # each is asked for again where `gather` finds out more

    @property
    def unknown(self) -> int:
        """How often something was asked that was not known; a decision is final where it is the same afterwards."""
        return self._fields.unknown

    def same(self, row: int, other: int, _cosine: float) -> bool:
        """Say whether two records with alike prompts ask for the same, as far as is known."""
        kind = self.kind(row, other)
        if kind not in (None, CONTENT) or not self.fits(row, other):
            return False
        return kind is None or self._agree(self._record(row).response, self._record(other).response)

    def kind(self, row: int, other: int) -> str | None:
        """Return the contrast between two records' prompts; None where the rules see none."""
        a, b = self._pool.of[row], self._pool.of[other]
        return None if a == b else self._kind(a, b)

    def fits(self, row: int, other: int) -> bool:
        """Say whether tasks and answers let two records be duplicates, as far as is known."""
        one, two = self._record(row), self._record(other)
        if different_answers(one.response, two.response):
            return False
        alike = self._pool.of[row] == self._pool.of[other] or not (one.context.strip() and two.context.strip())
        return alike or self._fields.reaches(one.instruction, two.instruction, TASK)

    def gather(self) -> bool:
        """Find out what was not known; say whether there was any, so that decisions are to be taken again."""
        return self._fields.gather()

    def scores(self, row: int, other: int) -> dict[str, float]:
        """Return the cosines of single fields that decided about a pair, by their names."""
        one, two = self._record(row), self._record(other)
        found = {
            "instruction": self._fields.cosine(one.instruction, two.instruction),
            "response": self._fields.cosine(one.response, two.response),
        }
        return {name: cosine for name, cosine in found.items() if cosine is not None}

    def _agree(self, one: str, other: str) -> bool:
        """Say whether two responses say the same, as far as is known; what is empty says nothing."""
        return bool(one.strip()) and self._fields.reaches(one, other, AGREE)

    def _compare(self, prompt: int, other: int) -> str | None:
        """Return the contrast between two prompts, by a name of its own where responses cannot excuse it."""
        a, b = self._reading(prompt), self._reading(other)
        kind = contrast(a, b)
        if kind != CONTENT or excusable(a, b):
            return kind
        return UNNAMED if unnamed(a, b) else NAMED

    def _read(self, prompt: int) -> Reading:
        return read(self._pool.prompts[prompt])


def excusable(a: Reading, b: Reading) -> bool:
    """Say whether two prompts differ in words so few, and no names, that responses can excuse them."""
    return len(unmatched(a, b)) <= EXCUSED and unnamed(a, b)


def unnamed(a: Reading, b: Reading) -> bool:
    """Say whether what only one of two prompts speaks of holds no name."""
    return (a.telling | b.telling).isdisjoint(unmatched(a, b))


def different_answers(one: str, other: str) -> bool:
    """Say whether two responses are brief and give different numbers, the same in another order, or yes and no."""
    if max(len(one.split()), len(other.split())) > BRIEF:
        return False
    here, there = _numbers(one), _numbers(other)
    if here and there:
        return here != there
    said, replied = _TRUE.match(one), _TRUE.match(other)
    return said is not None and replied is not None and bool(said[1]) != bool(replied[1])


def _numbers(text: str) -> list[str]:
    return [found.replace(",", "").replace("\u2212", "-") for found in _NUMBER.findall(text)]
