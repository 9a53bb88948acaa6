"""Two prompts can be alike in every word but the one that matters: contrasts that keep such records apart.

An embedding hardly sees that "three tips" are not "five tips", that "France" is not "Germany", that "advantages" are
not "disadvantages". What is looked at stands in `CONTRASTS`.

It reads, it does not understand. "Without sugar" and "sugar-free" stay both: a duplicate that stays costs a little, a
record that goes is gone. "Socialism" for "capitalism" passes: lower-case words are not told from their synonyms.
Prompts in other languages than English are told apart by numbers, names, quotes and contexts alone.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import chain, takewhile
from typing import TypeAlias

from curation.dedupe.contrasts import ASPECTS, DEMANDS, FILLING, NUMBERS, OPPOSITES, UNITS
from curation.dedupe.prompts import Prompt

Words: TypeAlias = frozenset[str]

SHARED = 0.6
"""Share of the smaller context's words that must stand in the other prompt, too."""

AKIN = 0.8
"""Share of the shorter of two names that must begin the longer one: Africa, African; not Austria, Australia."""

SHORT = 3
"""Letters that two names must begin with at least, to be two forms of one."""

ACRONYM = range(2, 5)
"""Letters of an acronym that is matched with the words it stands for."""

SYMBOL = 2
"""Letters of a unit's symbol at most."""

STRICT = tuple(line.split("|")[0] for line in DEMANDS)
LENIENT = tuple(line.replace("|", " ") for line in DEMANDS)

ONE = frozenset({"1"})

# Quotation marks and apostrophes are written as escapes: they look like others.
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?")
_ENDING = re.compile(r"['\u2019]s$|(?<=\w\w\w)(?<!s)s$")
_DIGITS = re.compile(r"(?<![^\W\d_])\d+(?:,\d{3})*(?:\.\d+)?")
_MEASURED = re.compile(r"(?<=\d)[ \xb0]*([a-z]{1,2})\b")
_ONE = re.compile(r"\b(?:one|single)[ -](?:sentence|word|line|paragraph|page|stanza|step|minute|hour|day|digit)s?\b")
_NAME = re.compile(r"(?<=[\w,;()&] )[A-Z][^\W_]+")
_QUOTED = re.compile(
    r"[\"\u201c\u201d]([^\"\u201c\u201d\n]{1,80})[\"\u201c\u201d]"
    r"|(?<!\w)['\u2018]([^'\u2018\u2019\n]{1,80})['\u2019](?!\w)"
)
_OR_NOT = re.compile(r",? or not\b")
_NOT = re.compile(
    r"\b(?:[Nn]ot|never|[Ww]ithout|[Ee]xcept|excluding|cannot|neither|nor|[Aa]void|unlike|non|no)\b"
    r"(?! (?:more|less|fewer|longer|greater) than)|n['\u2019]t\b"
)
_TARGET = re.compile(r"\b(?:convert|turn|change|transform)\b.*\b(?:in)?to (?:an? |the |its |their )?([a-z]+)")
_SECOND = re.compile(
    r"(?<=\w \w)\w* and (?:then |also )?(?:explain|describe|provide|give|list|discuss|what|why|how|write|state|"
    r"identify|include|show|analyze|their|its)\b"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What is read off a prompt to compare it with another one."""

    text: str
    """Without case, accents and runs of spaces."""
    words: Words
    """All words, in the singular."""
    initials: Words
    """What the words would be as acronyms."""
    numbers: Words
    units: Words
    names: Words
    """Capitalised within a sentence, or quoted."""
    negated: bool
    second: bool
    """Asks for something more: "and explain why"."""
    sides: tuple[Words, ...]
    """For each line of `OPPOSITES` the sides that the instruction takes."""
    aspects: Words
    demands: Words
    meets: Words
    """The demands that the prompt would do justice to, its own among them."""
    target: str
    """What something is to be turned into: "convert … to binary"."""
    material: Words
    """Words of the context."""


def read(prompt: Prompt) -> Reading:
    """Read a prompt."""
    whole, asked = plain(prompt.text), plain(prompt.instruction)
    spoken = _QUOTED.sub("", prompt.instruction.split("\n")[0])
    words, wanted = _words(whole), _words(asked)
    return Reading(
        text=whole,
        words=words,
        initials=frozenset(_initials(whole)),
        numbers=_numbers(whole),
        units=_meanings(UNITS, _measures(whole, words)),
        names=_words(plain(" ".join(_marked(prompt.text)))) - FILLING,
        negated=bool(_NOT.search(_OR_NOT.sub("", spoken))),
        second=bool(_SECOND.search(asked)),
        sides=tuple(_meanings(line, wanted) for line in OPPOSITES),
        aspects=_meanings(ASPECTS, wanted),
        demands=_meanings(STRICT, wanted),
        meets=_meanings(LENIENT, wanted),
        target=(_TARGET.findall(asked) or [""])[0],
        material=_words(plain(prompt.context)) - FILLING,
    )


def contrast(a: Reading, b: Reading) -> str | None:
    """Return the first contrast between two prompts, or None: the same either way round, None for a prompt itself."""
    if a.text == b.text:
        return None
    return next((name for name, differ in CONTRASTS.items() if differ(a, b)), None)


def _apart(a: Words, b: Words) -> bool:
    """Say whether both have some and share none."""
    return bool(a and b) and not a & b


def _other_names(a: Reading, b: Reading) -> bool:
    return bool(_unknown(a, b) and _unknown(b, a))


def _unknown(a: Reading, b: Reading) -> list[str]:
    """Return the names in `a` that `b` does not speak of, be it in another form or as an acronym."""
    rest = a.names - b.words - b.initials
    return [name for name in rest if not any(_akin(name, word) for word in b.words)]


def _akin(one: str, other: str) -> bool:
    alike = sum(1 for _ in takewhile(lambda letters: letters[0] == letters[1], zip(one, other, strict=False)))
    return alike >= max(SHORT, AKIN * min(len(one), len(other)))


def _other_material(a: Reading, b: Reading) -> bool:
    """Say whether the smaller context is missing from the other prompt."""
    if not (a.material or b.material):
        return False
    here, there = sorted((a, b), key=lambda one: (not one.material, len(one.material)))
    known = there.material or there.words
    return len(here.material & known) < SHARED * len(here.material)


CONTRASTS: Mapping[str, Callable[[Reading, Reading], bool]] = {
    "numbers": lambda a, b: a.numbers != b.numbers,
    "units": lambda a, b: _apart(a.units, b.units),
    "negation": lambda a, b: a.negated != b.negated,
    "opposites": lambda a, b: any(x and y and x != y for x, y in zip(a.sides, b.sides, strict=True)),
    "aspects": lambda a, b: _apart(a.aspects, b.aspects),
    "demands": lambda a, b: bool(a.demands - b.meets or b.demands - a.meets),
    "target": lambda a, b: bool(a.target and b.target) and a.target != b.target,
    "second question": lambda a, b: a.second != b.second,
    "names": _other_names,
    "material": _other_material,
}
"""What two prompts can differ in though they are alike, and how that is seen."""


def plain(text: str) -> str:
    """Return the text without case, accents and runs of spaces."""
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return " ".join("".join(one for one in letters if not unicodedata.combining(one)).split())


def _words(text: str) -> Words:
    return frozenset(_singular(word) for word in _WORD.findall(text))


def _singular(word: str) -> str:
    return _ENDING.sub("", word)


@cache
def _index(table: tuple[str, ...]) -> Mapping[str, set[str]]:
    """Return word → the meanings it has in a table."""
    found: dict[str, set[str]] = defaultdict(set)
    for line in table:
        for word in line.split():
            found[_singular(word)].add(line.split()[0])
    return found


def _meanings(table: tuple[str, ...], words: Words) -> Words:
    index = _index(table)
    return frozenset(chain.from_iterable(index[word] for word in words & index.keys()))


def _measures(text: str, words: Words) -> Words:
    """Return the words that may be units; symbols such as "m" only after a number."""
    return frozenset(word for word in words if len(word) > SYMBOL) | frozenset(_MEASURED.findall(text))


def _numbers(text: str) -> Words:
    digits = frozenset(found.replace(",", "") for found in _DIGITS.findall(text))
    return digits | _meanings(NUMBERS, _words(text)) | (ONE if _ONE.search(text) else frozenset())


def _initials(text: str) -> Iterator[str]:
    first = [word[0] for word in _WORD.findall(text)]
    for size in ACRONYM:
        for start in range(len(first) - size + 1):
            yield "".join(first[start : start + size])


def _marked(text: str) -> Iterator[str]:
    yield from _NAME.findall(text)
    for quoted in _QUOTED.findall(text):
        yield from quoted
