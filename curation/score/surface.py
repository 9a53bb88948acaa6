"""Cheap figures of a text, each from a published source; none of them knows whether the response is right.

`response_words` is the one that every score has to beat: the longest responses alone have beaten published selections
("Long is more for alignment", Zhao et al. 2024).
"""

import math
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from curation.score.file import Score
from curation.score.reasons import NO_WORDS, NOT_ENGLISH
from curation.text import MOSTLY_ASCII, tokens
from schemas.record import InstructionRecord

WINDOW = 50
"""Words over which types are counted, so that a long text is not called poor for being long."""
DIGITS = 6
"""Decimals that are kept."""

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_ITEM = re.compile(r"^[ \t]*(?:[-*\u2022]|\d{1,3}[.)])[ \t]+\S", re.MULTILINE)
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)
_MARKS = re.compile(r"^#{1,6}\s|^\|.*\|[ \t]*$|\*\*\S|`[^`\n]+`", re.MULTILINE)


def response_words(record: InstructionRecord) -> float:
    """Return the words of the response: the baseline."""
    return float(len(record.response.split()))


def prompt_words(record: InstructionRecord) -> float:
    """Return the words of instruction and context."""
    return float(len(record.instruction.split()) + len(record.context.split()))


def type_token_ratio(record: InstructionRecord) -> float | str:
    """Return the mean share of different words in windows of 50 (MATTR: Covington and McFall 2010), or in fewer."""
    words = tokens(record.response)
    if not words:
        return NO_WORDS
    return _mean(len(set(window)) / len(window) for window in _windows(words, WINDOW))


def compression_ratio(record: InstructionRecord) -> float | str:
    """Return bytes per byte of their deflated form (Shaib et al. 2024); high where a text repeats itself.

    It is below 1 for a few words, which have nothing to repeat.
    """
    raw = record.response.encode()
    return len(raw) / len(zlib.compress(raw, 9)) if raw.strip() else NO_WORDS


def list_items(record: InstructionRecord) -> float:
    """Return the lines of the response that begin like items of a list."""
    return float(len(_ITEM.findall(record.response)))


def code_blocks(record: InstructionRecord) -> float:
    """Return the fenced blocks of the response."""
    return float(-(-len(_FENCE.findall(record.response)) // 2))


def format_marks(record: InstructionRecord) -> float:
    """Return the headings, table rows, bold words and code words of the response, as Markdown writes them."""
    return float(len(_MARKS.findall(record.response)))


def readability(record: InstructionRecord) -> float | str:
    """Return the school grade that the response needs: automated readability index (Smith and Senter 1967).

    4.71 letters a word + 0.5 words a sentence - 21.43. It was made for English, and holds for prose.
    """
    words = record.response.split()
    letters = [char for char in record.response if char.isalpha()]
    signs = sum(map(str.isalnum, record.response))
    if not words or not signs:
        return NO_WORDS
    if letters and sum(map(str.isascii, letters)) < MOSTLY_ASCII * len(letters):
        return NOT_ENGLISH
    sentences = sum(1 for part in _SENTENCE_END.split(record.response) if part.strip())
    return 4.71 * signs / len(words) + 0.5 * len(words) / sentences - 21.43


FIGURES: Mapping[str, Callable[[InstructionRecord], float | str]] = {
    "response_words": response_words,
    "prompt_words": prompt_words,
    "type_token_ratio": type_token_ratio,
    "compression_ratio": compression_ratio,
    "list_items": list_items,
    "code_blocks": code_blocks,
    "format_marks": format_marks,
    "readability": readability,
}
"""Name → what counts it: a number, or the reason why there is none."""


def surface_scores(records: Sequence[InstructionRecord]) -> Iterator[Mapping[str, Score]]:
    """Yield each record's figures."""
    for record in records:
        yield {name: _score(figure(record)) for name, figure in FIGURES.items()}


def _score(found: float | str) -> Score:
    return Score(reason=found) if isinstance(found, str) else Score(value=round(found, DIGITS))


def _windows(words: Sequence[str], width: int) -> Iterator[Sequence[str]]:
    yield from (words[at : at + width] for at in range(max(1, len(words) - width + 1)))


def _mean(numbers: Iterable[float]) -> float:
    found = list(numbers)
    return math.fsum(found) / len(found)
