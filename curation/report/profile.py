"""What is counted of a group of rows: their lengths, categories and first words."""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, count, takewhile

from curation.reasons import describe
from curation.report.counted import Compared, Comparison, Count, Histogram, Series, Verb
from schemas.record import TEXT_FIELDS, Row

NAMES = {
    "instruction": ("instruction", "prompt"),
    "context": ("context", "input"),
    "response": ("response", "output", "completion"),
}
"""What the text fields are called in rows that never became records."""
POLITE = frozenset({"please", "kindly", "can", "could", "would", "will", "you"})
"""Words passed over to find what an instruction asks for."""
MOST = 20
"""Categories or words that are listed by name."""
LABEL_MOST = 60
"""Characters of a category or word that are shown."""
BINS_PER_UNIT = 50
"""Bins of a similarity histogram between 0 and 1."""

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")


_BETWEEN = """
a an the this that these those some any each every all both no my your his her its our their us them him it me
of for to in on at by with from into about up out as or and if how what which who why when where
one two three four five six seven eight nine ten several few many more most other following given
is are was were be does short brief simple new good best different possible main common creative famous correct
"""
BETWEEN = frozenset(_BETWEEN.split())
"""Words passed over to find what the first word is about."""
VERBS_MOST, OBJECTS_MOST = 20, 4
"""Verbs, and objects of each, that are listed: as in Self-Instruct's figure 3."""


class Profile:
    """Counts over a group of rows, in memory that does not grow with their number."""

    def __init__(self) -> None:
        self.rows = 0
        self.lengths: dict[str, Counter[int]] = {name: Counter() for name in TEXT_FIELDS}
        self.categories: Counter[str] = Counter()
        self.first_words: Counter[str] = Counter()
        self.verbs: Counter[tuple[str, str]] = Counter()

    def add(self, texts: Mapping[str, str], category: str) -> None:
        """Count one row; `texts` holds those text fields that it has."""
        self.rows += 1
        for name, text in texts.items():
            self.lengths[name][len(text.split())] += 1
        self.categories[category.strip()[:LABEL_MOST]] += 1
        if "instruction" in texts:
            pair = verb_and_object(texts["instruction"])
            self.first_words[pair[0]] += 1
            self.verbs[pair] += 1


def texts_of(row: Row) -> dict[str, str]:
    """Return the text fields that a row has, whatever its format calls them."""
    found = {}
    for name, spellings in NAMES.items():
        value = next((row[spelling] for spelling in spellings if spelling in row), None)
        if isinstance(value, str):
            found[name] = value
    return found


def verb_and_object(instruction: str) -> tuple[str, str]:
    """Return the first word and the first word after it that may be its object, by rule: no grammar is read."""
    words = (match[0].lower() for match in _WORD.finditer(instruction))
    verb = next((word for word in words if word not in POLITE), "")
    return verb[:LABEL_MOST], next((word for word in words if word not in BETWEEN), "")[:LABEL_MOST]


def verbs_of(pairs: Mapping[tuple[str, str], int], whole: int) -> tuple[Verb, ...]:
    """Return the commonest verbs, each with its commonest objects."""
    verbs: dict[str, Counter[str]] = {}
    for (verb, thing), number in pairs.items():
        if verb and thing:
            verbs.setdefault(verb, Counter())[thing] += number
    ordered = sorted(verbs.items(), key=lambda one: (-one[1].total(), one[0]))
    return tuple(
        Verb(
            verb=verb,
            count=things.total(),
            share=ratio(things.total(), whole),
            objects=named_shares(things, things.total())[:OBJECTS_MOST],
            others=sum(count for _, count in things.most_common()[OBJECTS_MOST:]),
        )
        for verb, things in ordered[:VERBS_MOST]
    )


def shares(counts: Mapping[str, int], whole: int) -> tuple[Count, ...]:
    """Return codes with their counts and shares of `whole`, commonest first."""
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(Count(key=key, count=n, share=ratio(n, whole), words=describe(key)) for key, n in ordered)


def named_shares(counts: Mapping[str, int], whole: int) -> tuple[Count, ...]:
    """Return names that are nobody's code with counts and shares, the commonest `MOST` of them."""
    return tuple(Count(key=one.key, count=one.count, share=one.share) for one in shares(counts, whole)[:MOST])


def compare(before: Mapping[str, int], after: Mapping[str, int]) -> Comparison:
    """Return how common each key was before and after; keys beyond the commonest are counted together."""
    whole = sum(before.values()), sum(after.values())
    keys = sorted({*before, *after}, key=lambda key: (-after.get(key, 0), -before.get(key, 0), key))
    rest = keys[MOST:]
    others = sum(before.get(key, 0) for key in rest), sum(after.get(key, 0) for key in rest)
    return Comparison(
        rows=tuple(_compared(key, (before.get(key, 0), after.get(key, 0)), whole) for key in keys[:MOST]),
        others=_compared(f"{len(rest):,} others", others, whole) if rest else None,
    )


def ratio(part: float, whole: float) -> float:
    """Return a share, rounded so that it is the same on every machine; 0 of nothing is 0."""
    return round(part / whole, 6) if whole else 0.0


def word_histogram(name: str, groups: Mapping[str, Counter[int]]) -> Histogram:
    """Return lengths in words, in bins that are equally wide on a logarithmic axis, as far as whole numbers can be."""
    longest = max((max(counts) for counts in groups.values() if counts), default=0)
    return _histogram(name, "words", widening(longest), groups)


def similarity_histogram(groups: Mapping[str, Counter[int]], threshold: float | None) -> Histogram:
    """Return cosines in equal bins; the groups are keyed by bin number, see `similarity_bin`."""
    bins = [number for counts in groups.values() for number in counts]
    edges = range(min(bins), max(bins) + 2)
    found = _histogram("similarity", "cosine", edges, groups)
    scaled = tuple(round(edge / BINS_PER_UNIT, 4) for edge in edges)
    return Histogram(name=found.name, unit=found.unit, edges=scaled, series=found.series, threshold=threshold)


def similarity_bin(cosine: float) -> int:
    """Return the bin of a cosine; the last bin holds 1 itself."""
    return min(BINS_PER_UNIT - 1, math.floor(cosine * BINS_PER_UNIT + 1e-9))


def widening(most: int) -> list[int]:
    """Return whole edges that are equally far apart on a logarithmic axis, the last of them above `most`."""
    below = list(takewhile(lambda edge: edge <= most, _widening()))
    return [*below, next(edge for edge in _widening() if edge > most)]


def _widening() -> Iterator[int]:
    """Yield 0, then the powers of the root of two as whole numbers: 1, 2, 3, 4, 6, 8, 11, 16, 23, 32 and so on."""
    yield from (0, 1)
    for power in count(2):
        yield round(2 ** (power / 2))


def _histogram(name: str, unit: str, edges: Sequence[int], groups: Mapping[str, Counter[int]]) -> Histogram:
    return Histogram(
        name=name,
        unit=unit,
        edges=tuple(map(float, edges)),
        series=tuple(_series(group, counts, edges) for group, counts in groups.items()),
    )


def _series(name: str, values: Counter[int], edges: Sequence[int]) -> Series:
    total = sum(values.values())
    counts = [0] * (len(edges) - 1)
    at = 0
    for value in sorted(values):
        while value >= edges[at + 1]:
            at += 1
        counts[at] += values[value]
    return Series(
        name=name,
        counts=tuple(counts),
        shares=tuple(ratio(count, total) for count in counts),
        total=total,
        median=float(_median(values, total)),
    )


def _median(values: Counter[int], total: int) -> float:
    """Return the lower median of counted values; 0 of nothing."""
    ordered = sorted(values)
    reached = accumulate(values[value] for value in ordered)
    return next((value for value, up_to in zip(ordered, reached, strict=True) if 2 * up_to >= total), 0)


def _compared(key: str, counts: tuple[int, int], whole: tuple[int, int]) -> Compared:
    return Compared(
        key=key,
        before=counts[0],
        before_share=ratio(counts[0], whole[0]),
        after=counts[1],
        after_share=ratio(counts[1], whole[1]),
    )
