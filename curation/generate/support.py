"""Is a response supported by its text? Every number and every name in it has to stand there, or in the question.

A check of what can be checked without a model, and so a lower bound: a wrong sentence of right words passes. Numbers
are compared as numbers (1,240 is 1240; nine is 9), names as words that begin with a capital amid a sentence. A sum that
the text leaves to the reader is rejected with the inventions.
"""

import re

from schemas.record import InstructionRecord

CAPITALS = ("de", "lb")
"""Languages in which every noun begins with a capital, so that capitals tell no names."""

_NUMBER = re.compile(r"\d+(?:[.,\u00a0\u202f]\d+)*")
_GROUPS = re.compile(r"\d{1,3}(?:[,\u00a0\u202f]\d{3})+(?:\.\d+)?")
_ITEM = re.compile(r"^\s*(?:\d+[.):]|[-*•])\s+", re.MULTILINE)
"""The number or mark of a list's item."""
_NAME = re.compile(r"(?<=[a-z,;]\s)[A-Z][\w'\u2019-]*\w")
_WORD = re.compile(r"[^\W_]+")
_SPELLING = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
SPELLED = {word: str(number) for number, word in enumerate(_SPELLING.split())}
"""Number word → its digits."""


def unsupported(record: InstructionRecord, *, names: bool = True) -> list[str]:
    """Return the numbers and names of a response that neither its context nor its instruction holds, in order."""
    given = f"{record.context}\n{record.instruction}"
    words, numbers = _words(given), _numbers(given)
    numbers |= {SPELLED[word] for word in words & SPELLED.keys()}
    said = _ITEM.sub("", record.response)
    missing = [one[0] for one in _NUMBER.finditer(said) if plain_number(one[0]) not in numbers]
    if names:
        missing += [one[0] for one in _NAME.finditer(said) if not _words(one[0]) <= words | {"i", "s", "m", "ll", "ve"}]
    return list(dict.fromkeys(missing))


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold()))


def _numbers(text: str) -> set[str]:
    return {plain_number(found) for found in _NUMBER.findall(text)}


def plain_number(number: str) -> str:
    """Return a number without the marks between its thousands and without zeros that say nothing."""
    if _GROUPS.fullmatch(number):
        number = re.sub(r"[,\u00a0\u202f]", "", number)
    whole, point, rest = number.partition(".")
    rest = rest.rstrip("0")
    return f"{whole.lstrip('0') or '0'}.{rest}" if point and rest else whole.lstrip("0") or "0"
