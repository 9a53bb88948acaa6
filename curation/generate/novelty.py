"""Is an instruction new? ROUGE-L against every instruction there is, exactly, and fast.

rouge_score's F of two texts is 2·LCS/(m+n) over their tokens. Tokens are written as one code point each, so that
rapidfuzz finds the longest common subsequence bit-parallel. Two lengths alone bound F by 2·min(m,n)/(m+n): the pool is
kept by length and searched outwards from the candidate's own, so that most of it is never looked at. No decision
differs from rouge_score's on English; `curation.text.tokens` says what other scripts are compared by.

Limit: a pool may hold a million different tokens, the number of code points.
"""

from typing import NamedTuple

from rapidfuzz import process
from rapidfuzz.distance import LCSseq

from curation.text import tokens

FIRST_CODE = 0x20
SURROGATES = (0xD800, 0xE000)


class Neighbour(NamedTuple):
    """The most similar text of a pool."""

    key: int
    """What `Pool.add` returned for it."""
    score: float
    """ROUGE-L F, 0 to 1."""


class Pool:
    """Texts that a candidate is compared with. Not for several threads at once."""

    def __init__(self) -> None:
        self._by_length: dict[int, dict[int, str]] = {}
        self._lengths: dict[int, int] = {}
        self._alphabet: dict[str, str] = {}
        self._next = 0

    def __len__(self) -> int:
        return len(self._lengths)

    def encode(self, text: str) -> str:
        """Return the text's tokens in the pool's alphabet, one character each, to search and to add."""
        return "".join(self._alphabet.setdefault(one, self._letter()) for one in tokens(text))

    def add(self, codes: str) -> int:
        """Add an encoded text; returns the key that names it."""
        key, length = self._next, len(codes)
        self._next += 1
        self._by_length.setdefault(length, {})[key] = codes
        self._lengths[key] = length
        return key

    def remove(self, key: int) -> None:
        """Take a text out again."""
        del self._by_length[self._lengths.pop(key)][key]

    def nearest(self, codes: str) -> Neighbour | None:
        """Return the most similar text, the earliest added among equals; nothing where no token is shared."""
        best: Neighbour | None = None
        size = len(codes)
        for length in sorted(self._by_length, key=lambda length: (-_bound(size, length), length)):
            if best is not None and _bound(size, length) < best.score:
                break
            found = self._nearest_of_length(codes, length)
            if found and (best is None or (found.score, -found.key) > (best.score, -best.key)):
                best = found
        return best

    def _nearest_of_length(self, codes: str, length: int) -> Neighbour | None:
        found = process.extractOne(codes, self._by_length[length], scorer=LCSseq.similarity, score_cutoff=1)
        if found is None:
            return None
        _, common, key = found
        return Neighbour(key, rouge_l(int(common), len(codes), length))

    def _letter(self) -> str:
        number = FIRST_CODE + len(self._alphabet)
        low, high = SURROGATES
        return chr(number if number < low else number - low + high)


def rouge_l(common: int, one: int, other: int) -> float:
    """Return ROUGE-L F of two texts of these lengths in tokens, rounded as rouge_score rounds it."""
    if not common:
        return 0.0
    precision, recall = common / one, common / other
    return 2 * precision * recall / (precision + recall)


def _bound(one: int, other: int) -> float:
    """Return the largest F that texts of these lengths can have."""
    return rouge_l(min(one, other), one, other)
