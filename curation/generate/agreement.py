"""Do several answers to a question say the same? They are compared where that can be told without a model.

An answer has a normal form where it is a label, a few words or numbers: its words without those that any answer holds
and those of the question, in no order, numbers as numbers. "It was closed in 1903" and "1903" have one form. Longer
answers about a text, where the numbers are what can be wrong, have their numbers; a sum has its last number, the
result; other long answers have none, and tasks with many right answers neither. Two wrong answers of one form pass.
"""

import re
from collections import Counter
from collections.abc import Sequence

from curation.generate.support import SPELLED, plain_number
from curation.text import normal_form
from schemas.record import InstructionRecord

CHECKED = ("classification", "closed_qa", "information_extraction")
"""Categories whose answers stand in their text."""
OPEN = ("brainstorming", "creative_writing", "generation", "summarization")
"""Categories with many right answers."""
SHORT = 5
"""Words of an answer that are compared as words."""
OPERANDS = 2
"""Numbers that a sum is made of, at least."""

_WORD = re.compile(r"(?<!\w)[-\u2212]?\d+(?:[.,\u00a0\u202f]\d+)*|[^\W\d_]+")
_COMPUTE = re.compile(
    r"\b(?:calculate|compute|add up|how (?:many|much|far|long|old)|what (?:is|are|was)|sum|total|average|percent"
    r"|convert)",
    re.IGNORECASE,
)
_FILLER = (
    "a an the it its is was were are be been in on at of to by for and that this there answer label category result "
    "correct"
)
_SAYS_NOTHING = frozenset(_FILLER.split())


def form_of(record: InstructionRecord) -> str:
    """Return the normal form of a record's response; nothing where it has none."""
    numbers = _numbers(record.response)
    if numbers and _is_sum(record):
        return numbers[-1]
    if record.category in OPEN:
        return ""
    words = _telling(record)
    if 0 < len(words) <= SHORT:
        return " ".join(sorted(words))
    return " ".join(sorted(set(numbers))) if record.category in CHECKED else ""


def agreed(forms: Sequence[str], planned: int) -> bool | None:
    """Say whether more than half of the planned answers have one form; None: those that are missing may decide."""
    most = max(Counter(filter(None, forms)).values(), default=0)
    if 2 * most > planned:
        return True
    return None if 2 * (most + planned - len(forms)) > planned else False


def _is_sum(record: InstructionRecord) -> bool:
    """Say whether the instruction brings its numbers along and asks for another."""
    return bool(_COMPUTE.search(record.instruction)) and len(_numbers(record.instruction)) >= OPERANDS


def _telling(record: InstructionRecord) -> set[str]:
    """Return the words that make the answer; a label may be one of the question's."""
    words = set(_words(record.response)) - _SAYS_NOTHING
    if record.category == "classification":
        return words
    return words - set(_words(record.instruction)) or words


def _words(text: str) -> list[str]:
    return [_plain(word) for word in _WORD.findall(normal_form(text))]


def _numbers(text: str) -> list[str]:
    return [word for word in _words(text) if word[-1].isdigit()]


def _plain(word: str) -> str:
    if word[-1].isdigit():
        sign = "-" if word[0] in "-\u2212" else ""
        return sign + plain_number(word.lstrip("-\u2212"))
    return SPELLED.get(word, word)
