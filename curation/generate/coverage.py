"""What the records of a run cover, beside what the seeds cover; and what a request should say to bring them closer.

Models repeat themselves: in Alpaca the ten commonest first words begin 49 % of the instructions, and 7.7 % are
questions. So the kept records are counted by first word, form, length and context; what is over-used or short compared
with the seeds goes into the next round's requests, in words and in the choice of examples.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from curation.generate.draw import draw
from curation.text import tokens
from schemas.record import InstructionRecord

Cell: TypeAlias = tuple[str, str, str]
"""Category, feature, value."""

FEATURES = ("first_word", "form", "length", "context")
SHORT_WORDS, LONG_WORDS = 8, 20
"""An instruction of so many words is short; of more than so many, long."""
ENOUGH = 8
"""Records of a category before anything is said of them."""
HALF = 0.5
"""A value is short when its share of the records is under half its share of the seeds."""
RARE = 0.1
"""Share of the seeds under which a value is nobody's wish."""
WORN = 0.12
"""Share of the records over which a first word is over-used, if it is twice its share of the seeds."""
WORN_MOST = 4
"""First words that a request names at most."""
WORDS = {
    ("form", "question"): "Ask questions.",
    ("form", "situation"): "Begin with the situation of the person who asks.",
    ("form", "imperative"): "Give orders, not questions.",
    ("length", "short"): f"Use at most {SHORT_WORDS} words for each.",
    ("length", "medium"): f"Use {SHORT_WORDS} to {LONG_WORDS} words for each.",
    ("length", "long"): f"Use more than {LONG_WORDS} words for each, with details and conditions.",
    ("context", "yes"): "Each is about a given text.",
    ("context", "no"): "None needs a given text.",
}
"""What a request says of a value that is short."""

QUESTION_MARKS = ("?", "\uff1f", "\u061f")
"""Of Latin, Chinese and Arabic script."""

_SITUATION = ("i", "i'm", "i've", "my", "we", "our", "you", "your", "suppose", "imagine", "a", "an", "the")


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Counts of the kept records and of the seeds, frozen."""

    kept: Mapping[Cell, int] = field(default_factory=lambda: MappingProxyType({}))
    seeds: Mapping[Cell, int] = field(default_factory=lambda: MappingProxyType({}))


NOTHING_YET = Coverage()


class Wish(NamedTuple):
    """What a request asks for besides its kind of task."""

    cells: tuple[tuple[str, str], ...] = ()
    """Features and the values wanted of them."""
    avoid: tuple[str, ...] = ()
    """First words that are over-used."""

    @property
    def words(self) -> str:
        """The wish as it stands in a request; empty: there is none."""
        said = [WORDS[cell] for cell in self.cells]
        if self.avoid:
            said.append(f"Do not begin with {', '.join(word.capitalize() for word in self.avoid)}.")
        return " ".join(said)

    def first(self, records: Sequence[InstructionRecord]) -> list[InstructionRecord]:
        """Return records in their order, those that fit the wish before the others."""
        return sorted(records, key=self._misses)

    def _misses(self, record: InstructionRecord) -> int:
        has = features(record)
        return sum(has[name] != value for name, value in self.cells) + (has["first_word"] in self.avoid)


def features(record: InstructionRecord) -> dict[str, str]:
    """Return what is counted of a record: feature → value."""
    words = tokens(record.instruction)
    return {
        "first_word": words[0] if words else "",
        "form": form_of(record.instruction),
        "length": length_band(len(words)),
        "context": "yes" if record.context else "no",
    }


def form_of(instruction: str) -> str:
    """Return `question` where it ends in a question mark, `situation` where it begins as a story, else `imperative`."""
    text = instruction.strip()
    if text.endswith(QUESTION_MARKS):
        return "question"
    first = text.lower().split(maxsplit=1)[:1]
    return "situation" if first and first[0] in _SITUATION else "imperative"


def length_band(words: int) -> str:
    """Return the length of an instruction as a word."""
    if words <= SHORT_WORDS:
        return "short"
    return "medium" if words <= LONG_WORDS else "long"


def count(records: Iterable[InstructionRecord]) -> Counter[Cell]:
    """Count records by category and feature."""
    counts: Counter[Cell] = Counter()
    for record in records:
        counts.update(cells(record))
    return counts


def cells(record: InstructionRecord) -> Iterator[Cell]:
    """Yield what a record counts in; a feature `` holds the number of records."""
    yield record.category, "", ""
    for name, value in features(record).items():
        yield record.category, name, value


def wish(coverage: Coverage, category: str, *place: int | str) -> Wish:
    """Return what a request for a category should ask for; `place` decides which of several short values it names.

    One more draw than there are short values: some requests name none, so that a round does not swing as one.
    """
    total, seeds = (which.get((category, "", ""), 0) for which in (coverage.kept, coverage.seeds))
    if total < ENOUGH or not seeds:
        return Wish()
    named = []
    for name in FEATURES[1:]:
        short = _short(coverage, category, name)
        named += [(name, value) for (value,) in [draw([*short, ""], 1, *place, name)] if value]
    return Wish(tuple(named), _worn(coverage, category))


def _short(coverage: Coverage, category: str, name: str) -> list[str]:
    found = []
    for (of, feature, value), number in coverage.seeds.items():
        if (of, feature) == (category, name):
            share = number / coverage.seeds[category, "", ""]
            has = coverage.kept.get((of, feature, value), 0) / coverage.kept[category, "", ""]
            found += [value] if share >= RARE and has < HALF * share else []
    return found


def _worn(coverage: Coverage, category: str) -> tuple[str, ...]:
    """Return the first words that are over-used, the most used first."""
    found = []
    total, seeds = coverage.kept[category, "", ""], coverage.seeds[category, "", ""]
    for (of, feature, value), number in coverage.kept.items():
        if (of, feature) == (category, "first_word") and value:
            share, usual = number / total, coverage.seeds.get((of, feature, value), 0) / seeds
            found += [(-share, value)] if share > max(WORN, 2 * usual) else []
    return tuple(value for _, value in sorted(found)[:WORN_MOST])


def rows(coverage: Coverage) -> Iterator[dict[str, Any]]:
    """Yield the lines of `coverage.jsonl`: each value of each feature, the most frequent first, beside the seeds'."""
    for name in ("category", *FEATURES):
        kept, seeds = (_by_value(which, name) for which in (coverage.kept, coverage.seeds))
        for value in sorted({*kept, *seeds}, key=lambda value: (-kept[value], value)):
            shares = {"share": _share(kept, value), "seeds": _share(seeds, value)}
            yield {"feature": name, "value": value, "kept": kept[value], **shares}


def _by_value(counts: Mapping[Cell, int], name: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for (category, feature, value), number in counts.items():
        if name == "category" and not feature:
            found[category] += number
        elif feature == name:
            found[value] += number
    return found


def _share(counts: Counter[str], value: str) -> float:
    return round(counts[value] / counts.total(), 4) if counts else 0.0
