"""Which benchmark item each record holds, by any method: word for word first, then by meaning."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, TypeAlias

from curation.contamination.benchmark import Item
from curation.contamination.meaning import Meaning, Side
from curation.contamination.overlap import Hit, Overlap, Run, weights
from curation.embedding.encoder import Encoder, shifted
from curation.spool import Records, parts
from curation.text import tokens
from schemas.record import TEXT_FIELDS, InstructionRecord

STOCK = 3
"""Most contexts and responses that may hold a run of an item before it counts as a stock phrase."""


Heard: TypeAlias = Callable[[str, int, int], None]
"""Called with what is done, how much of it, and how much there is."""
EMBEDDED = {"instruction": "embed prompts", "response": "embed responses"}
"""Side → what making its vectors is called."""
PART = 1 << 16
"""Records whose vectors are held at a time; a cache of vectors is gone through once for each part."""


def hear_nothing(_what: str, _done: int, _total: int) -> None:
    """Listen to no progress."""


class Found(NamedTuple):
    """An item in a record, and the field that holds it."""

    hit: Hit
    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """All methods with their limits, ready to look at records."""

    items: Sequence[Item]
    overlap: Overlap
    least_long: float
    least_short: float
    meanings: Sequence[Meaning]
    """One for each side of a record whose vectors are compared; none: words alone."""
    stock: frozenset[Run]
    """Runs of items that many contexts and responses hold: there they prove nothing."""

    @property
    def sides(self) -> tuple[Side, ...]:
        """The sides of a record whose meaning is compared."""
        return tuple(meaning.side for meaning in self.meanings)

    def found(self, records: Records, heard: Heard = hear_nothing) -> Iterator[Found | None]:
        """Yield for each record the item that it holds most surely, or none; vectors of one part at a time are held."""
        done = 0
        for part in parts(records, PART):
            by_meaning = self._by_meaning(part, heard, done, len(records))
            done += len(part)
            for record, meant in zip(part, by_meaning, strict=True):
                yield self._word_for_word(record) or meant

    def _by_meaning(
        self, records: Sequence[InstructionRecord], heard: Heard, done: int, total: int
    ) -> Sequence[Found | None]:
        best: list[Found | None] = [None] * len(records)
        for meaning in self.meanings:
            hits = meaning.hits(records, shifted(partial(heard, EMBEDDED[meaning.side]), done, total))
            found = (Found(hit, meaning.side) if hit else None for hit in hits)
            best = [_surer(one, other) for one, other in zip(best, found, strict=True)]
        return best

    def _word_for_word(self, record: InstructionRecord) -> Found | None:
        """Look into each field, and into instruction and context as one text."""
        read = {field: tokens(getattr(record, field)) for field in TEXT_FIELDS}
        best = None
        for field, words in read.items():
            best = _surer(best, self._in(words, field, frozenset() if field == "instruction" else self.stock))
        if read["context"]:
            best = _surer(best, self._in([*read["instruction"], *read["context"]], "instruction", self.stock))
        return best

    def _in(self, words: list[str], field: str, stock: frozenset[Run]) -> Found | None:
        hits = self.overlap.hits(words, self.least_long, self.least_short, stock)
        return Found(hits[0], field) if hits else None


def _surer(one: Found | None, other: Found | None) -> Found | None:
    if one is None or other is None:
        return one or other
    return other if other.hit.score > one.hit.score else one


def detector(
    items: Sequence[Item],
    records: Records,
    *,
    least_long: float,
    least_short: float,
    threshold: float,
    encoders: tuple[Encoder, Encoder] | None,
    sides: Sequence[Side] = ("instruction",),
) -> Detector:
    """Make the detector for these items in these records: how telling a word is, both together say.

    Of the encoders the first finds candidates and the second, in fp32, decides about these sides; none: words alone.
    """
    texts = (f"{record.instruction} {record.context} {record.response}" for record in records)
    weight, otherwise = weights(tokens(text) for text in (*texts, *(item.whole for item in items)))
    meanings = [
        Meaning(encoder=encoders[0], sure=encoders[1], items=items, threshold=threshold, side=side)
        for side in sides
        if encoders
    ]
    overlap = Overlap.of(items, weight, otherwise)
    given = (tokens(text) for record in records for text in (record.context, record.response) if text)
    return Detector(
        items=items,
        overlap=overlap,
        stock=overlap.stock(given, STOCK),
        least_long=least_long,
        least_short=least_short,
        meanings=meanings,
    )
