"""The seeds: what people wrote for a model to go on from; read from any format, and checked as a proof-reader would."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path

from curation.filters.catalogue import CHECKS, ChosenCheck, choose
from curation.filters.language import DETECTORS
from curation.filters.stage import judge
from curation.generate.novelty import Pool
from curation.sources import Validate
from schemas.errors import InputError
from schemas.outcome import Rejection
from schemas.record import InstructionRecord, Reason

SHIPPED = Path(__file__).with_name("seeds.jsonl")
"""184 tasks written for this project, 23 of each category."""
TOO_SIMILAR = 0.7
"""ROUGE-L F from which on two instructions are near-duplicates."""
LEAST_OF_CATEGORY = 8
"""Fewest seeds of a category: requests draw from them, and few make every request the same."""
UNBALANCED = 4
"""A category may have at most this many times the seeds of another."""
SURE = 0.95
"""Confidence from which on a detected language is believed."""
NEARLY_ALL = 0.8
"""Share of the seeds whose language is that of the run."""
LOOKED_AT = 60
"""Seeds whose language is asked for to know that of all."""
MAY_HAVE = ("wrong_language",)
"""Checks of the filter stage that seeds need not pass: they may be in any one language."""
DRAFT = "seed_draft"
"""The field that makes a row a draft, see `curation.generate.seed_drafts`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something wrong with a seed file."""

    place: str
    """File and line."""
    field: str
    found: str
    expected: str

    def __str__(self) -> str:
        """Return it as a line: place, field, what was expected and what was found."""
        return f"{self.place}: {self.field}: expected {self.expected}, found {self.found}"


def read_seeds(path: Path) -> list[InstructionRecord]:
    """Return the seeds of a file.

    Raises:
        InputError: a row that is no record, a draft that nobody approved, or no seeds at all.
    """
    seeds, faults = parse_seeds(path)
    faults += _drafts(seeds, path)
    if faults:
        more = f" (and {len(faults) - 1} more: dolly-data seeds check {path})" if faults[1:] else ""
        raise InputError(f"{faults[0]}{more}")
    if not seeds:
        raise InputError(place=path, expected="seed tasks", found="none")
    return seeds


def parse_seeds(path: Path) -> tuple[list[InstructionRecord], list[Fault]]:
    """Return the rows that are records, and what is wrong with the others."""
    seeds: list[InstructionRecord] = []
    faults: list[Fault] = []
    for outcome in Validate(source=str(path))():
        if isinstance(outcome, Rejection):
            faults += [_fault(path, outcome.provenance.line, reason) for reason in outcome.reasons]
        else:
            seeds.append(outcome)
    return seeds, faults


def undecided(record: InstructionRecord) -> str:
    """Return why a record is a draft that may not be used; nothing where it is none, or somebody approved of it."""
    carried = record.extra.get("extra")  # where a row of a step directory is read as anybody's
    fields = {**carried, **record.extra} if isinstance(carried, Mapping) else record.extra
    if DRAFT not in fields:
        return ""
    draft = fields[DRAFT]
    decision = draft.get("decision") if isinstance(draft, Mapping) else None
    if not isinstance(decision, Mapping) or not decision.get("by"):
        return "nobody's decision"
    if decision.get("verdict") != "approved":
        return f"{decision.get('verdict')} by {decision['by']}"
    return "" if decision.get("id") == record.id else f"another text than {decision['by']} approved"


def _drafts(seeds: Sequence[InstructionRecord], path: Path) -> Iterator[Fault]:
    """Yield a fault for each draft that nobody has approved."""
    for seed in seeds:
        if found := undecided(seed):
            yield _at(path, seed, DRAFT, f"a draft that was approved (dolly-data seeds approve {path})", found)


def check_seeds(path: Path) -> tuple[list[InstructionRecord], list[Fault]]:
    """Return the seeds of a file, and everything that is wrong with it."""
    seeds, faults = parse_seeds(path)
    looks = (_drafts, _unfit, _repeated, _similar, _foreign, _incomplete, _unbalanced)
    return seeds, [*faults, *(fault for look in looks for fault in look(seeds, path))]


def seeds_by_category(seeds: Iterable[InstructionRecord]) -> dict[str, list[InstructionRecord]]:
    """Return the seeds by category, categories in order of their names."""
    found: dict[str, list[InstructionRecord]] = {}
    for seed in seeds:
        found.setdefault(seed.category, []).append(seed)
    return dict(sorted(found.items()))


def language_of(seeds: Iterable[InstructionRecord]) -> str:
    """Return the language that nearly all of the first seeds are in, of those that are surely in one; or nothing."""
    spoken = Counter(filter(None, map(_language, islice(seeds, LOOKED_AT))))
    return next((code for code, number in spoken.items() if number >= NEARLY_ALL * spoken.total()), "")


def _fault(path: Path, line: int | None, reason: Reason) -> Fault:
    expected = reason.limit or f"no {reason.code.replace('_', ' ')}"
    return Fault(place=f"{path}:{line}", field=reason.field or "row", found=reason.found, expected=expected)


def _at(path: Path, seed: InstructionRecord, field: str, expected: str, found: str) -> Fault:
    return Fault(place=f"{path}:{seed.provenance.line}", field=field, expected=expected, found=found)


def unfit(seed: InstructionRecord) -> Iterator[Reason]:
    """Yield what the filter stage would reject or repair: a reference to a missing text, a placeholder, and so on."""
    judged = judge(seed, _strict())
    if isinstance(judged, Rejection):
        yield from judged.reasons


@cache
def _strict() -> list[ChosenCheck]:
    """Return the checks that seeds have to pass, each set to reject."""
    codes = (code for code, check in CHECKS.items() if check.action != "flag" and code not in MAY_HAVE)
    return [choose(code, {"action": "reject"}) for code in codes]


def _unfit(seeds: Sequence[InstructionRecord], path: Path) -> Iterator[Fault]:
    """Yield a fault for each thing that makes a seed unfit."""
    for seed in seeds:
        yield from (_fault(path, seed.provenance.line, reason) for reason in unfit(seed))


def _repeated(seeds: Sequence[InstructionRecord], path: Path) -> Iterator[Fault]:
    """Yield a fault for each name or record that stands there before."""
    first: dict[tuple[str, str], InstructionRecord] = {}
    for seed in seeds:
        for field, value in (("name", str(seed.extra.get("name", ""))), ("record", seed.id)):
            known = first.setdefault((field, value), seed) if value else seed
            if known is not seed:
                yield _at(path, seed, field, "one that no other seed has", f"that of line {known.provenance.line}")


def _similar(seeds: Sequence[InstructionRecord], path: Path) -> Iterator[Fault]:
    """Yield a fault for each instruction that is nearly an earlier one's."""
    pool = Pool()
    for seed in seeds:
        codes = pool.encode(seed.instruction)
        near = pool.nearest(codes)
        if near and near.score >= TOO_SIMILAR:
            found = f"{near.score:.2f} with line {seeds[near.key].provenance.line}"
            yield _at(path, seed, "instruction", f"ROUGE-L under {TOO_SIMILAR}", found)
        pool.add(codes)


def _foreign(seeds: Sequence[InstructionRecord], path: Path) -> Iterator[Fault]:
    """Yield a fault for each seed that is in another language than most."""
    spoken = [_language(seed) for seed in seeds]
    usual = Counter(filter(None, spoken)).most_common(1)
    for seed, code in zip(seeds, spoken, strict=True):
        if code and code != usual[0][0]:
            yield _at(path, seed, "language", f"{usual[0][0]} as in most seeds", code)


def _language(seed: InstructionRecord) -> str:
    """Return the language that a seed is surely in, or nothing."""
    code, confidence = DETECTORS["py3langid"](f"{seed.instruction}\n{seed.context}\n{seed.response}")
    return code if confidence >= SURE else ""


def _incomplete(seeds: Sequence[InstructionRecord], path: Path) -> Iterator[Fault]:
    """Yield a fault for a seed without category, and for the only one of its category without a context."""
    for category, records in seeds_by_category(seeds).items():
        bare = [seed for seed in records if not seed.context]
        if not category:
            yield from (_at(path, seed, "category", "the kind of task", "none") for seed in records)
        elif len(bare) == 1 < len(records):
            yield _at(path, bare[0], "context", f"a text, as in all other seeds of {category}", "none")


def _unbalanced(seeds: Sequence[InstructionRecord], path: Path) -> Iterator[Fault]:
    counts = {category: len(records) for category, records in seeds_by_category(seeds).items()}
    least = max(LEAST_OF_CATEGORY, -(-max(counts.values(), default=0) // UNBALANCED))
    for category, number in counts.items():
        if number < least:
            expected = f"{least} or more of {category or 'a category'}"
            yield Fault(place=str(path), field="category", expected=expected, found=str(number))
