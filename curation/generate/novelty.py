"""Is an instruction new? ROUGE-L against every earlier one, exactly as rouge_score decides, at a fraction of its cost.

Self-Instruct and Alpaca reject an instruction whose ROUGE-L F-measure with an earlier one is over 0.7. For token lists
of lengths m and n with a longest common subsequence of L, F = 2L / (m + n), which is the normalised Indel similarity.
Tokens become single characters, so rapidfuzz's bit-parallel algorithm finds L.

Words are rouge_score's for texts in ASCII. Elsewhere rouge_score sees nothing (it keeps [a-z0-9] only): there words are
Unicode words, and pairs of characters in scripts that do not space them.
"""

import re
from typing import NamedTuple

from rapidfuzz import process
from rapidfuzz.distance import Indel

_ASCII_WORD = re.compile(r"[a-z0-9]+")
_WORD = re.compile(r"[^\W_]+")
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
FIRST, LAST_BEFORE_SURROGATES, SURROGATES = 0x100, 0xD7FF, 0x800


class Nearest(NamedTuple):
    """The earlier instruction most like a text."""

    id: str
    score: float
    """ROUGE-L F-measure, 0 to 1."""


class NoveltyPool:
    """Instructions that were accepted, each with the id of its record."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._encoded: list[str] = []
        self._letters: dict[str, str] = {}

    def __len__(self) -> int:
        """Return the number of instructions."""
        return len(self._ids)

    def add(self, text: str, record_id: str) -> None:
        """Add an accepted instruction."""
        self._ids.append(record_id)
        self._encoded.append(self._encode(text))

    def nearest(self, text: str) -> Nearest:
        """Return the most similar earlier instruction; of equals, the first. ('', 0.0) where there is none."""
        encoded = self._encode(text)
        found = process.extractOne(encoded, self._encoded, scorer=Indel.normalized_similarity) if encoded else None
        if found is None:
            return Nearest("", 0.0)
        return Nearest(self._ids[found[2]], _f_measure(encoded, self._encoded[found[2]], found[1]))

    def _encode(self, text: str) -> str:
        return "".join(map(self._letter, words_of(text)))

    def _letter(self, word: str) -> str:
        """Return the one character that stands for a word, new words getting the next free one."""
        letter = self._letters.get(word)
        if letter is None:
            code = FIRST + len(self._letters)
            letter = chr(code if code <= LAST_BEFORE_SURROGATES else code + SURROGATES)
            self._letters[word] = letter
        return letter


def _f_measure(one: str, other: str, similarity: float) -> float:
    """Return F in rouge_score's own order of operations, so that a score on the limit falls on the same side of it."""
    common = round(similarity * (len(one) + len(other)) / 2)
    if not common:
        return 0.0
    precision, recall = common / len(one), common / len(other)
    return 2 * precision * recall / (precision + recall)


def words_of(text: str) -> list[str]:
    """Return the words that are compared."""
    if text.isascii():
        return _ASCII_WORD.findall(text.lower())
    return [part for word in _WORD.findall(text.casefold()) for part in _parts(word)]


def _parts(word: str) -> list[str]:
    """Split a word of an unspaced script into overlapping pairs of characters."""
    if len(word) > 1 and _UNSPACED.search(word):
        return [word[at : at + 2] for at in range(len(word) - 1)]
    return [word]
