"""What is read off a prompt to compare it with another one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from curation.dedupe.contrasts import ASPECTS, FILLING, NUMBERS, PROCEDURES, UNITS
from curation.dedupe.prompts import Prompt
from curation.dedupe.words import (
    COUNTING,
    LENIENT,
    STRICT,
    Words,
    accented,
    initials,
    meanings,
    plain,
    plain_stems,
    plurals,
    senses,
    sides,
    stems,
    words_of,
)

BRIEF = 12
"""Words of a context up to which it names a thing rather than being a text to work on."""

SYMBOL = 2
"""Letters of a unit's symbol at most."""

ONE, ALGORITHM = frozenset({"1"}), frozenset({"algorithm"})
NONE = frozenset[str]()

# Quotation marks and apostrophes are written as escapes: they look like others.
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
_TARGET = re.compile(
    r"\b(?:convert|turn|chang|transform)(?:e|s|ed|ing)?\b.*\b(?:in)?to (?:an? |the |its |their )?([a-z]+)"
)
_SUPERLATIVE = re.compile(r"\b(?:most|best|main|top|primary|\w{2,}[^aeiou]est)\b(?<!\binterest)(?<!\brequest)")
_ANGLES = {
    "why": re.compile(r"\bwhy\b|\bimportance\b|\b(?:is|are|it) (?:so )?important\b"),
    "use": re.compile(
        r"\buse cases?\b|\bused (?:in|to|for|by)\b|\buses? (?:of|for)\b|\bapplications? (?:of|for)\b|\bhow to use\b"
        r"|\bin a sentence\b|\bsentence (?:using|with)\b|\bsentences? that uses? the\b"
    ),
    "making": re.compile(r"\bhow (?:\w+ ){1,4}(?:is|are|was|were) (?:\w+ed|made|built)\b"),
    "case": re.compile(r"\bexamples? of (?:how|when|where)\b"),
    "origin": re.compile(r"\bwhere\b.*\bcomes? from\b|\borigin(?:s|ates?|ated)?\b"),
    "before": re.compile(r"\b(?:leading|led|leads) up to\b"),
    "sentence": re.compile(r"(?<!with )\b(?:an?|one|single)(?:[ -][a-z]+){0,2}[ -]sentence\b"),
    "sentences": re.compile(r"\b(?:few|several|some|couple of) sentences\b"),
}
_SOUGHT = re.compile(
    r"\b(?:what|which) (?!(?:is|are|was|were|do|does|did|can|could|would|should|will|has|have|if|the|an?|you|it|we|i|"
    r"happens?|makes?|causes?|means?)\b)([a-z]+)"
)
_ALGORITHM = re.compile(r"\balgorithms? (?:to|for|that|which)\b")
_MODEL = re.compile(r"(?<![\w-])[a-z]+-?\d[\d.]*(?![\w=-])")
_OPERATOR = re.compile(r"[+*\xd7\xf7^<>\u2264\u2265%]|(?<=\d) ?[-/\u2212] ?(?=\d)")
_JOINED = re.compile(r"(\w+),? (?:and|or|nor) (?:an? |the |their |its )?(\w+)")
_JUST_ONE = re.compile(r"\b(?:one|single)\b(?! of\b)")
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
    accented: Words
    """The words whose accents `text` lacks."""
    initials: Words
    """What the words would be as acronyms."""
    numbers: Words
    sequence: tuple[str, ...]
    """The numbers in digits, as they follow one another."""
    units: Words
    names: Words
    """Capitalised within a sentence, or quoted."""
    sought: Words
    """What follows "what" or "which": a river, a country."""
    models: Words
    """Names that end in a number: GPT-3."""
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
    angles: Words
    """The side that the subject is looked at from: why it matters, what it is used for."""
    operators: Words
    single: bool
    """Asks for one, or for what is the most of something."""
    several: Words
    """The words that stand in the plural, in the singular."""
    material: Words
    """Words of the context."""
    content: Words
    """Words that say what is asked about; of a long context none."""
    known: Words
    """What has a counterpart here: the stems of all words, and what they would be as acronyms."""
    senses: frozenset[int]
    """What the words may stand for, see `SYNONYMS`."""
    telling: Words
    """Stems that are never a mere addition: names, and what "and" or "or" joins to another word."""


def read(prompt: Prompt) -> Reading:
    """Read a prompt."""
    whole, asked = plain(prompt.text), plain(prompt.instruction)
    spoken = _QUOTED.sub("", prompt.instruction.split("\n")[0])
    words, wanted = words_of(_OR_NOT.sub("", whole)), words_of(_OR_NOT.sub("", asked))
    material = words_of(plain(prompt.context)) - FILLING
    names = words_of(plain(" ".join(_marked(prompt.text)))) - FILLING
    spoken_of = words if len(material) <= BRIEF else wanted
    known, acronyms = stems(words), frozenset(initials(whole))
    return Reading(
        text=whole,
        words=words,
        accented=accented(prompt.text),
        initials=acronyms,
        numbers=_numbers(whole, words),
        sequence=tuple(_DIGITS.findall(whole)),
        units=meanings(UNITS, _measures(whole, words)),
        names=names,
        sought=words_of(" ".join(_SOUGHT.findall(asked))),
        models=frozenset(found.rstrip(".").replace("-", "") for found in _MODEL.findall(whole)),
        negated=bool(_NOT.search(_OR_NOT.sub("", spoken))),
        second=bool(_SECOND.search(asked)),
        sides=sides(wanted),
        aspects=meanings(ASPECTS, wanted),
        demands=meanings(STRICT, wanted) | (ALGORITHM if _ALGORITHM.search(asked) else NONE),
        meets=meanings(LENIENT, wanted) | (ALGORITHM if wanted & PROCEDURES else NONE),
        target=(_TARGET.findall(asked) or [""])[0],
        angles=frozenset(name for name, pattern in _ANGLES.items() if pattern.search(asked)),
        operators=frozenset(found.strip() for found in _OPERATOR.findall(whole)),
        single=bool(_SUPERLATIVE.search(asked) or _JUST_ONE.search(asked)),
        several=plurals(asked),
        material=material,
        content=_content(spoken_of, names),
        known=known | acronyms,
        senses=senses(known),
        telling=stems(names | frozenset(chain.from_iterable(_JOINED.findall(asked)))),
    )


def _content(words: Words, names: Words) -> Words:
    return stems(words - FILLING - COUNTING) - plain_stems() | stems(names & words - COUNTING)


def _measures(text: str, words: Words) -> Words:
    """Return the words that may be units; symbols such as "m" only after a number."""
    return frozenset(word for word in words if len(word) > SYMBOL) | frozenset(_MEASURED.findall(text))


def _numbers(text: str, words: Words) -> Words:
    digits = frozenset(found.replace(",", "") for found in _DIGITS.findall(text))
    return digits | meanings(NUMBERS, words) | (ONE if _ONE.search(text) else frozenset())


def _marked(text: str) -> Iterator[str]:
    yield from _NAME.findall(text)
    for quoted in _QUOTED.findall(text):
        yield from quoted
