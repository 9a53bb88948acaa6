"""Changes that make nothing worse: what is rejected of these is rejected wrongly, and nobody need read it to know.

Those that stand beside their host ask for something else than it does, in nearly the same words.
"""

import re
import textwrap
from collections.abc import Callable
from dataclasses import replace

from curation.audit.host import Host, answering, sentences
from schemas.record import TEXT_FIELDS, InstructionRecord

_NUMBER = re.compile(r"(?<![\w.,])\d{1,4}(?![\w,]|\.\d)|\b(?:two|three|four|five|six|seven|eight|nine|ten)\b")
NUMBERS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
PLACES = (
    "France", "Germany", "Japan", "India", "Brazil", "Canada", "China", "Italy", "Spain", "Mexico", "Egypt", "Peru",
    "Paris", "London", "Tokyo", "Berlin", "Rome", "Chicago", "Europe", "Africa", "Asia", "Mars", "Jupiter",
    "Python", "Java", "Spanish", "French", "German",
)  # fmt: skip
KINDS = (PLACES[:12], PLACES[12:18], PLACES[18:21], PLACES[21:23], PLACES[23:25], PLACES[25:])
"""Names of one kind, of which any can stand for any other."""
_NAME = re.compile(rf"\b(?:{'|'.join(PLACES)})\b")
OPPOSITES = {
    "advantages": "disadvantages", "disadvantages": "advantages", "benefits": "drawbacks", "causes": "effects",
    "effects": "causes", "increase": "decrease", "increases": "decreases", "largest": "smallest", "smallest": "largest",
    "highest": "lowest", "longest": "shortest", "positive": "negative", "negative": "positive", "formal": "informal",
    "synonym": "antonym", "synonyms": "antonyms", "past": "future", "future": "past", "before": "after",
    "pros": "cons", "similarities": "differences", "most": "least", "active": "passive",
    "oldest": "newest",
}  # fmt: skip
"""Word → one with which the question is another one."""
_OPPOSITE = re.compile(rf"\b(?:{'|'.join(OPPOSITES)})\b")
FEWEST, MOST = 3, 8
"""Sentences of an answer that is made a list."""


def other_number(host: Host) -> InstructionRecord | None:
    """A second record that asks for another number: "five ways" beside "three ways"."""
    return _changed(host, _NUMBER, lambda found: _another(host, found))


def other_name(host: Host) -> InstructionRecord | None:
    """A second record about another country, city or language."""
    return _changed(host, _NAME, lambda found: host.rng.choice([one for one in _kind(found) if one != found]))


def opposite(host: Host) -> InstructionRecord | None:
    """A second record that asks for the opposite: "disadvantages" beside "advantages"."""
    return _changed(host, _OPPOSITE, lambda found: OPPOSITES[found])


def lines_broken(host: Host) -> InstructionRecord | None:
    """The answer is the same, broken into lines of 72 characters."""
    if "\n" in host.record.response or len(host.record.response) <= 72:  # noqa: PLR2004  # one line of a typewriter
        return None
    return answering(host, textwrap.fill(host.record.response, 72, break_long_words=False, break_on_hyphens=False))


def made_a_list(host: Host) -> InstructionRecord | None:
    """The answer is the same as a list, whose items need no full stop."""
    parts = sentences(host.record.response)
    if "\n" in host.record.response or not FEWEST <= len(parts) <= MOST:
        return None
    return answering(host, "\n".join(f"- {part.rstrip('.')}" for part in parts))


def signed(host: Host) -> InstructionRecord | None:
    """The answer is a letter that ends with its writer's name, without a full stop."""
    if len(sentences(host.record.response)) < FEWEST:
        return None
    name = host.rng.choice(("Alex Morgan", "Your neighbour, Jo", "The Support Team", "Sam"))
    greeting = host.rng.choice(("Best regards", "Sincerely", "Yours truly", "Kind regards"))
    return answering(host, f"Dear reader,\n\n{host.record.response.strip()}\n\n{greeting},\n{name}")


def _changed(host: Host, pattern: re.Pattern[str], other: Callable[[str], str]) -> InstructionRecord | None:
    """Return the record with one match in its instruction changed, in the other fields too."""
    found = sorted({one.group() for one in pattern.finditer(host.record.instruction)})
    if not found:
        return None
    old = host.rng.choice(found)
    new = other(old)
    texts = {name: re.sub(rf"\b{old}\b", new, getattr(host.record, name)) for name in TEXT_FIELDS}
    return replace(host.record, **texts)  # type: ignore[arg-type]  # the three are texts


def _another(host: Host, number: str) -> str:
    if number.isdigit():
        return str(int(number) + host.rng.randint(1, 5))
    return host.rng.choice([one for one in NUMBERS if one != number])


def _kind(name: str) -> tuple[str, ...]:
    return next(kind for kind in KINDS if name in kind)
