"""Word for word: which benchmark items stand in a text, by runs of tokens that both hold.

A run counts by how telling its words are (inverse document frequency over the data and the benchmarks), so that "Write
a short story about" weighs little and "the layers of the TCP/IP model" weighs much. Tokens know no case, no punctuation
and no line breaks: re-wrapped text is the same text.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self, TypeAlias

from curation.contamination.benchmark import Item
from curation.text import tokens

LONG, SHORT = 13, 8
"""Tokens of a long and of a short run, after GPT-3 and Tulu 3."""
Run: TypeAlias = tuple[str, ...]


class Hit(NamedTuple):
    """An item that stands in a text."""

    item: int
    method: str
    score: float
    """Share (0 to 1) of the item, weighted by how telling its words are."""


class _Place(NamedTuple):
    part: int
    at: int


@dataclass(frozen=True, slots=True)
class _Part:
    """One text of an item: its prompt or its context."""

    item: int
    words: Run
    weights: tuple[float, ...]
    total: float


@dataclass(frozen=True, slots=True)
class Overlap:
    """The index of all items."""

    parts: Sequence[_Part]
    parts_of: Sequence[Sequence[int]]
    """Item → its parts."""
    exact: Mapping[Run, int]
    """The tokens of a whole item → the item."""
    runs: Mapping[Run, Sequence[_Place]]
    """SHORT tokens → where they stand."""

    @classmethod
    def of(cls, items: Sequence[Item], weight: Mapping[str, float], otherwise: float) -> Self:
        """Index the items; `weight` says how telling each token is, `otherwise` how one that the data never holds."""
        parts: list[_Part] = []
        parts_of: list[list[int]] = []
        exact: dict[Run, int] = {}
        runs: dict[Run, list[_Place]] = defaultdict(list)
        for number, item in enumerate(items):
            exact.setdefault(tuple(tokens(item.whole)), number)
            mine = [words for text in (item.text, item.context) if (words := tuple(tokens(text)))]
            parts_of.append([*range(len(parts), len(parts) + len(mine))])
            for words in mine:
                weights = tuple(weight.get(word, otherwise) for word in words)
                for at, run in enumerate(runs_of(words)):
                    runs[run].append(_Place(len(parts), at))
                parts.append(_Part(number, words, weights, sum(weights)))
        return cls(parts, parts_of, exact, runs)

    def hits(
        self, words: Sequence[str], least_long: float, least_short: float, stock: frozenset[Run] = frozenset()
    ) -> list[Hit]:
        """Return the items that stand in a text of these tokens, the surest first; `stock` runs do not count."""
        whole = tuple(words)
        if (item := self.exact.get(whole)) is not None:
            return [Hit(item, "exact", 1.0)]
        found = self._common(whole, stock)
        hits = []
        for number in {self.parts[part].item for part in found}:
            for method, length, least in (("13 tokens", LONG, least_long), ("8 tokens", SHORT, least_short)):
                score = min(self._score(part, found.get(part, {}), length, whole) for part in self.parts_of[number])
                if score >= least:
                    hits.append(Hit(number, method, round(score, 4)))
                    break
        return sorted(hits, key=lambda hit: (-hit.score, hit.item))

    def stock(self, texts: Iterable[Sequence[str]], most: int) -> frozenset[Run]:
        """Return the items' runs that more than `most` of the texts hold: jokes, idioms, code that everybody writes."""
        counts: Counter[Run] = Counter()
        for words in texts:
            counts.update({run for run in runs_of(words) if run in self.runs})
        return frozenset(run for run, number in counts.items() if number > most)

    def _common(self, words: Run, stock: frozenset[Run]) -> dict[int, dict[int, set[int]]]:
        """Return part → offset → where its runs stand that the text holds, too; one offset is one unbroken stretch."""
        found: dict[int, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
        for at, run in enumerate(runs_of(words)):
            for part, there in () if run in stock else self.runs.get(run, ()):
                found[part][there - at].add(there)
        return found

    def _score(self, number: int, found: Mapping[int, set[int]], length: int, words: Run) -> float:
        """Return the weighted share of a part that is covered by common runs of at least `length` tokens."""
        part = self.parts[number]
        if len(part.words) < SHORT:  # too short for a run: it stands there whole, or it does not
            return float(_holds(words, part.words))
        covered: set[int] = set()
        for starts in found.values():
            covered |= _covered(starts, length)
        return sum(part.weights[at] for at in covered) / part.total if part.total else 0.0


def runs_of(words: Sequence[str]) -> Iterator[Run]:
    """Yield every run of SHORT tokens, from the first to the last."""
    for at in range(len(words) - SHORT + 1):
        yield tuple(words[at : at + SHORT])


def _covered(starts: set[int], length: int) -> set[int]:
    """Return the places of stretches of `length` and more, out of where runs of SHORT start."""
    more = length - SHORT
    whole = {at for at in starts if all(at + step in starts for step in range(more + 1))}
    return {place for at in whole for place in range(at, at + length)}


def _holds(words: Run, part: Run) -> bool:
    return any(words[at : at + len(part)] == part for at in range(len(words) - len(part) + 1))


def weights(texts: Iterable[Iterable[str]]) -> tuple[dict[str, float], float]:
    """Return how telling each token is: log of texts over texts that hold it; and the weight of one that none holds."""
    counts: Counter[str] = Counter()
    number = 0
    for words in texts:
        number += 1  # how many there are is needed afterwards
        counts.update(set(words))
    return {word: math.log((number + 1) / count) for word, count in counts.items()}, math.log(number + 1)
