"""Test prompts that an arm has seen: they would measure memory, so they are taken out before anything is trained.

A test record overlaps a record of an arm where one of these holds:

- the prompts are the same but for case, spaces and punctuation;
- a run of 13 words stands in both, be it in prompt or response (the rule of GPT-3's appendix C);
- the prompts' longest common subsequence of words is at least 0.9 of the longer prompt.

Where a script puts no spaces between words (Chinese, Japanese, Thai and their like) each character is compared as a
word is, and counts as half of one in a run.

Covered: copies and light edits. Not covered: translations and paraphrases.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from rapidfuzz import process
from rapidfuzz.distance import LCSseq

from schemas.record import InstructionRecord
from schemas.scripts import UNSPACED

RUN = 13
"""Words in a row that no two texts share by chance."""
ALIKE = 0.9
"""Share of the longer prompt's words, in order, from which two prompts are one."""
CHUNK = 64
"""Test prompts compared at a time."""
SURROGATES, SURROGATE_COUNT = 0xD800, 0x800
_WORD = re.compile(rf"[{UNSPACED}]|[^\W{UNSPACED}]+")
_UNSPACED = re.compile(f"[{UNSPACED}]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """A test record that an arm has seen."""

    id: str
    """Of the test record."""
    other: str
    """Id of the arms' record."""
    rule: str
    """`prompt_same`, `run_shared` or `prompt_alike`."""


def overlaps(tests: Sequence[InstructionRecord], seen: Sequence[InstructionRecord]) -> dict[str, Overlap]:
    """Return, for each id of a test record that overlaps any record that an arm sees, the first overlap found."""
    found: dict[str, Overlap] = {}
    for one in chain(_same(tests, seen), _shared_runs(tests, seen), _alike(tests, seen)):
        found.setdefault(one.id, one)
    return found


def words(text: str) -> tuple[str, ...]:
    """Return the words of a text, casefolded, without punctuation, and in one form of what Unicode has several of."""
    return tuple(_WORD.findall((text if text.isascii() else unicodedata.normalize("NFKC", text)).casefold()))


def _prompt(record: InstructionRecord) -> tuple[str, ...]:
    return words(f"{record.instruction}\n{record.context}")


def _same(tests: Sequence[InstructionRecord], seen: Iterable[InstructionRecord]) -> Iterator[Overlap]:
    where = {_prompt(one): one.id for one in seen}
    for test in tests:
        if (other := where.get(_prompt(test))) is not None:
            yield Overlap(id=test.id, other=other, rule="prompt_same")


def _shared_runs(tests: Sequence[InstructionRecord], seen: Iterable[InstructionRecord]) -> Iterator[Overlap]:
    owners: dict[tuple[str, ...], list[str]] = {}
    for test in tests:
        for run in set(_runs(test)):
            owners.setdefault(run, []).append(test.id)
    for record in seen:
        for run in _runs(record):
            for owner in owners.get(run, ()):
                yield Overlap(id=owner, other=record.id, rule="run_shared")


def _runs(record: InstructionRecord) -> Iterator[tuple[str, ...]]:
    for text in (f"{record.instruction}\n{record.context}", record.response):
        found, end, held = words(text), 0, 0
        halves = [_halves(word) for word in found]
        for at, first in enumerate(halves):
            while held < 2 * RUN and end < len(found):
                held += halves[end]
                end += 1
            if held < 2 * RUN:
                break
            yield found[at:end]
            held -= first


def _halves(word: str) -> int:
    """Return how many halves of a word a run is longer by."""
    return 2 if word.isascii() or not _UNSPACED.match(word) else 1


def _alike(tests: Sequence[InstructionRecord], seen: Sequence[InstructionRecord]) -> Iterator[Overlap]:
    """Compare every pair; a word is one character, so that the comparison is bit-parallel."""
    alphabet: dict[str, str] = {}
    theirs = [_spelled(_prompt(one), alphabet) for one in seen]
    for first in range(0, len(tests), CHUNK):
        some = tests[first : first + CHUNK]
        ours = [_spelled(_prompt(one), alphabet) for one in some]
        scores = process.cdist(ours, theirs, scorer=LCSseq.normalized_similarity, score_cutoff=ALIKE)
        for row, column in zip(*scores.nonzero(), strict=True):
            yield Overlap(id=some[row].id, other=seen[column].id, rule="prompt_alike")


def _spelled(prompt: tuple[str, ...], alphabet: dict[str, str]) -> str:
    return "".join(alphabet.setdefault(word, _character(len(alphabet))) for word in prompt)


def _character(number: int) -> str:
    return chr(number + 1 if number + 1 < SURROGATES else number + 1 + SURROGATE_COUNT)
