"""Is an instruction new? ROUGE-L against every instruction there is, exactly, and almost free.

rouge_score's F of two texts is 2·LCS/(m+n) over their m and n tokens. What two texts have in common in order is at most
what they have in common in any order, so the pool counts the latter first: each token leads to the texts that hold it
(a token's second occurrence is another token, so that counting is the multiset's). Tokens of many texts keep a column
with a byte for every text, which numpy adds up at once; the others keep a list. The counts bound every text's F, and
only texts whose bound reaches the best score found so far are compared in order, best bounds first: ten of a hundred
thousand, on Alpaca's instructions. Those few are compared bit-parallel by rapidfuzz, a token being one code point.

Nothing is lost by it: the nearest text, its score and so every decision are those of rouge_score over the whole pool on
English; `curation.text.tokens` says what other scripts are compared by.

Limit: a pool may hold a million different tokens, the number of code points.
"""

import math
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import LCSseq

from curation.text import tokens
from schemas.record import InstructionRecord

FIRST_CODE = 0x20
SURROGATES = (0xD800, 0xE000)
COMMON, COMMON_RATIO = 64, 32
"""A token has a column from 64 texts on, if they are more than one in 32 of the pool."""
FEW = 32
"""Texts that are compared in order at a time."""
BYTE = 255
"""Longest text, in tokens, whose shared tokens are counted in bytes, which numpy adds up ten times faster."""
SLACK = 1e-9
"""More than floating-point division loses, and less than any two different scores differ by."""
NOWHERE = 1 << 30
"""Length given to a text that was taken out: its bound is nothing."""

Scope = Literal["instruction", "both"]
SCOPES: Mapping[Scope, Callable[[InstructionRecord], str]] = {
    "instruction": lambda record: record.instruction,
    "both": lambda record: f"{record.instruction}\n{record.context}",
}
"""What of a record is compared: its instruction, or that and its context."""

_Keys: TypeAlias = NDArray[np.int64]


class Neighbour(NamedTuple):
    """The most similar text of a pool."""

    key: int
    """What `Pool.add` returned for it."""
    score: float
    """ROUGE-L F, 0 to 1."""


class Pool:
    """Texts that a candidate is compared with. Not for several threads at once."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._size = 0
        self._lengths: NDArray[np.int32] = np.zeros(1024, dtype=np.int32)
        self._lists: dict[str, array[int]] = {}
        self._columns: dict[str, NDArray[np.uint8]] = {}
        self._alphabet: dict[str, str] = {}

    def __len__(self) -> int:
        return self._size

    def encode(self, text: str) -> str:
        """Return the text's tokens in the pool's alphabet, one character each, to search and to add."""
        return "".join(self._alphabet.setdefault(one, self._letter()) for one in tokens(text))

    def add(self, codes: str) -> int:
        """Add an encoded text; returns the key that names it."""
        key = len(self._texts)
        if key == len(self._lengths):
            self._grow()
        self._texts.append(codes)
        self._lengths[key] = len(codes)
        self._size += 1
        for token in _numbered(codes):
            self._enter(token, key)
        return key

    def remove(self, key: int) -> None:
        """Take a text out again."""
        self._texts[key] = ""
        self._lengths[key] = NOWHERE
        self._size -= 1

    def nearest(self, codes: str) -> Neighbour | None:
        """Return the most similar text, the earliest added among equals; nothing where no token is shared."""
        shared = self._shared(codes)
        most = int(shared.max(initial=0))
        if not most:
            return None
        best = Neighbour(0, 0.0)
        for level in (most, most // 2, 1):  # a good score soon, so that few texts are looked at in the end
            best = self._best(codes, shared, level, best)
        return best if best.score else None

    def _best(self, codes: str, shared: NDArray[Any], level: int, best: Neighbour) -> Neighbour:
        """Return the most similar of the texts that share `level` tokens or more, if it is better than the best."""
        least = max(level, _least_shared(best.score, len(codes)))
        keys = np.flatnonzero(shared >= least)
        bounds = 2.0 * shared[keys] / (self._lengths[keys] + len(codes))
        while True:
            able = bounds >= max(best.score - SLACK, SLACK)
            keys, bounds = keys[able], bounds[able]
            if not len(keys):
                return best
            few = np.argpartition(-bounds, FEW)[:FEW] if len(keys) > FEW else np.arange(len(keys))
            best = min(best, self._nearest_of(codes, keys[few]), key=_first)
            bounds[few] = 0.0

    def _shared(self, codes: str) -> NDArray[Any]:
        """Count for every text the tokens that it shares with these, in any order."""
        size = len(self._texts)
        shared: NDArray[np.unsignedinteger[Any]] = np.zeros(size, dtype=np.uint8 if len(codes) <= BYTE else np.uint32)
        for token in _numbered(codes):
            if (column := self._columns.get(token)) is not None:
                shared += column[:size]
            elif (keys := self._lists.get(token)) is not None:
                shared[np.frombuffer(keys, dtype=np.int64)] += 1
        return shared

    def _nearest_of(self, codes: str, keys: _Keys) -> Neighbour:
        """Compare with a few texts in order; returns the most similar, the earliest among equals."""
        texts = [self._texts[key] for key in keys]
        common = process.cdist([codes], texts, scorer=LCSseq.similarity, dtype=np.int64)[0]
        scored = zip(keys.tolist(), common.tolist(), texts, strict=True)
        return min((Neighbour(key, rouge_l(both, len(codes), len(text))) for key, both, text in scored), key=_first)

    def _enter(self, token: str, key: int) -> None:
        if (column := self._columns.get(token)) is not None:
            column[key] = 1
            return
        keys = self._lists.setdefault(token, array("q"))
        keys.append(key)
        if len(keys) >= COMMON and len(keys) * COMMON_RATIO > len(self._texts):
            column = self._columns[token] = np.zeros(len(self._lengths), dtype=np.uint8)
            column[np.frombuffer(self._lists.pop(token), dtype=np.int64)] = 1

    def _grow(self) -> None:
        self._lengths = _doubled(self._lengths)
        self._columns = {token: _doubled(column) for token, column in self._columns.items()}

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


def _least_shared(score: float, length: int) -> int:
    """Return how many tokens a text must share to reach a score: its own length is no less than what it shares."""
    return max(1, math.ceil(score * length / (2 - score) - SLACK))


def _first(near: Neighbour) -> tuple[float, int]:
    """Order neighbours: the most similar first, then the earliest."""
    return -near.score, near.key


def _numbered(codes: Sequence[str]) -> Iterator[str]:
    """Yield each token with the number of its occurrence."""
    seen: dict[str, int] = {}
    for code in codes:
        number = seen[code] = seen.get(code, -1) + 1
        yield f"{code}{number}" if number else code


def _doubled(numbers: NDArray[Any]) -> NDArray[Any]:
    return np.concatenate([numbers, np.zeros_like(numbers)])
