"""Words as prompts are compared by them: in the singular, as stems, and by what they mean in a table."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from itertools import chain, takewhile
from typing import TypeAlias

from curation.dedupe.contrasts import ASPECTS, DEMANDS, LENGTHS, NUMBERS, OPPOSITES, PLAIN, SYNONYMS

Words: TypeAlias = frozenset[str]

AKIN = 0.8
"""Share of the shorter of two names that must begin the longer one: Africa, African; not Austria, Australia."""

SHORT = 3
"""Letters that two names must begin with at least, to be two forms of one."""

ACRONYM = range(2, 5)
"""Letters of an acronym that is matched with the words it stands for."""

REMEMBERED = 1 << 16
"""Words whose forms are kept for the next text."""

COUNTING = frozenset(chain.from_iterable(line.split() for line in NUMBERS))
NO_SIDES = (frozenset[str](),) * len(OPPOSITES)
STRICT = tuple(line.split("|")[0] for line in DEMANDS)
LENIENT = tuple(line.replace("|", " ") for line in DEMANDS)

# Quotation marks and apostrophes are written as escapes: they look like others.
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?")
_ENDING = re.compile(r"['\u2019]s$|(?<=\w\w\w)(?<![siu])s$")
_FORM = re.compile(r"(?<=\w\w)(?:ing|ed|e)$")
_MANY = re.compile(r"(?<=\w\w)ies$")


def plain(text: str) -> str:
    """Return the text without case, accents and runs of spaces."""
    if text.isascii():  # all that folds is case
        return " ".join(text.lower().split())
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return " ".join("".join(one for one in letters if not unicodedata.combining(one)).split())


def accented(text: str) -> Words:
    """Return the words of a text that `plain` changes by more than their case: schön, mã, が."""
    if text.isascii():
        return frozenset()
    words = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    return frozenset(word for word in words if plain(word) != word)


def words_of(text: str) -> Words:
    """Return the words of a plain text, in the singular."""
    return frozenset(map(singular, _WORD.findall(text)))


def plurals(text: str) -> Words:
    """Return the words that stand in the plural, in the singular."""
    return frozenset(singular(word) for word in _WORD.findall(text) if singular(word) != word)


@lru_cache(REMEMBERED)
def singular(word: str) -> str:
    """Return a word without the ending of a plural or a genitive."""
    return _MANY.sub("y", word) if _MANY.search(word) else _ENDING.sub("", word)


def stems(words: Words) -> Words:
    """Return words without what grammar adds: improve, improves, improved and improving are one."""
    return frozenset(map(_stem, words))


@lru_cache(REMEMBERED)
def _stem(word: str) -> str:
    return _FORM.sub("", singular(word))


def initials(text: str) -> Iterator[str]:
    """Yield what neighbouring words of a plain text would be as acronyms."""
    first = "".join(word[0] for word in _WORD.findall(text))
    for size in ACRONYM:
        for start in range(len(first) - size + 1):
            yield first[start : start + size]


def akin(one: str, other: str) -> bool:
    """Say whether two words begin alike, as two forms of one do."""
    if one[:SHORT] != other[:SHORT]:
        return False
    alike = sum(1 for _ in takewhile(lambda letters: letters[0] == letters[1], zip(one, other, strict=False)))
    return alike >= max(SHORT, AKIN * min(len(one), len(other)))


def meanings(table: tuple[str, ...], words: Words) -> Words:
    """Return the meanings that words in the singular have in a table."""
    index = _index(table)
    return frozenset(chain.from_iterable(index[word] for word in words & index.keys()))


@cache
def _index(table: tuple[str, ...]) -> Mapping[str, set[str]]:
    """Return word → the meanings it has in a table."""
    found: dict[str, set[str]] = defaultdict(set)
    for line in table:
        for word in line.split():
            found[singular(word)].add(line.split()[0])
    return found


def sides(words: Words) -> tuple[Words, ...]:
    """Return for each line of `OPPOSITES` the meanings that words in the singular have in it."""
    index = _side_index()
    found: dict[int, set[str]] = defaultdict(set)
    for line, meaning in chain.from_iterable(index[word] for word in words & index.keys()):
        found[line].add(meaning)
    taken = list(NO_SIDES)
    for line, named in found.items():
        taken[line] = frozenset(named)
    return tuple(taken)


@cache
def _side_index() -> Mapping[str, set[tuple[int, str]]]:
    """Return word → the lines of `OPPOSITES` that it stands in, and what it means there."""
    found: dict[str, set[tuple[int, str]]] = defaultdict(set)
    for line, table in enumerate(OPPOSITES):
        for word, named in _index(table).items():
            found[word] |= {(line, meaning) for meaning in named}
    return found


def senses(some: Words) -> frozenset[int]:
    """Return the lines of `SYNONYMS` that stems stand in."""
    index = _sense_index()
    return frozenset(chain.from_iterable(index[stem] for stem in some & index.keys()))


@cache
def _sense_index() -> Mapping[str, set[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    for number, line in enumerate(SYNONYMS):
        for word in line.split():
            found[_stem(word)].add(number)
    return found


@cache
def telling_stems() -> Words:
    """Return the stems of words that say what is to be made, or how long: never a mere addition."""
    lines = " ".join((*ASPECTS, *LENGTHS, *STRICT, *chain.from_iterable(OPPOSITES)))
    return stems(frozenset(lines.split()))


@cache
def plain_stems() -> Words:
    """Return the stems of words that a prompt can have or lack."""
    return stems(PLAIN)
