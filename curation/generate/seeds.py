"""Seed tasks: what generation starts from, and the lint that keeps them good."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from curation.filters.stage import Filter, judge
from curation.generate.novelty import NoveltyPool
from curation.generate.strategies.self_instruct import INPUT_FIRST
from curation.sources import Validate
from schemas.errors import InputError
from schemas.outcome import Rejection
from schemas.record import CATEGORIES, InstructionRecord, Reason

SHIPPED = Path(__file__).with_name("seeds.jsonl")
"""184 tasks written for this project, 23 of each category."""
LIKE = 0.7
"""ROUGE-L over which two seeds are too much alike."""
FEWEST = 8
"""Seeds of a category that a request can show."""


def read_seeds(path: Path = SHIPPED) -> list[InstructionRecord]:
    """Read a seed file in any format that `validate` reads.

    Raises:
        InputError: a row that is no pair; the message names file, line, field, expected and found.
    """
    seeds = []
    for outcome in Validate(source=str(path))():
        if isinstance(outcome, Rejection):
            raise InputError(_sentence(path, outcome.provenance.line, outcome.reasons[0]))
        seeds.append(outcome)
    if not seeds:
        raise InputError(place=path, expected="seed tasks", found="none")
    return seeds


def check_seeds(path: Path = SHIPPED) -> Iterator[str]:
    """Yield one sentence for everything that is wrong with a seed file: file, line, field, expected, found."""
    records = []
    for outcome in Validate(source=str(path))():
        if isinstance(outcome, Rejection):
            yield from (_sentence(path, outcome.provenance.line, reason) for reason in outcome.reasons)
        else:
            records.append(outcome)
    chosen = Filter().chosen()
    pool = NoveltyPool()
    seen: dict[str, int | None] = {}
    for seed in records:
        line = seed.provenance.line
        judged = judge(seed, chosen)
        if isinstance(judged, Rejection):
            yield from (_sentence(path, line, reason) for reason in judged.reasons)
        if seed.category in INPUT_FIRST and not seed.context:
            yield f"{path}:{line}: context: expected a text for {seed.category}, found none"
        near = pool.nearest(seed.instruction)
        if near.score > LIKE:
            found = f"ROUGE-L {near.score:.2f} with line {seen[near.id]}"
            yield f"{path}:{line}: instruction: expected a new one, found {found}"
        pool.add(seed.instruction, seed.id)
        seen[seed.id] = line
    yield from _balance(path, records)


def by_category(records: Sequence[InstructionRecord]) -> dict[str, list[InstructionRecord]]:
    """Return the records by category, in order."""
    found: dict[str, list[InstructionRecord]] = {}
    for record in records:
        found.setdefault(record.category, []).append(record)
    return found


def _balance(path: Path, seeds: Sequence[InstructionRecord]) -> Iterator[str]:
    counts = Counter(seed.category for seed in seeds)
    for category in CATEGORIES:
        if counts[category] < FEWEST:
            yield f"{path}: category: expected at least {FEWEST} of {category}, found {counts[category]}"


def _sentence(path: Path, line: int | None, reason: Reason) -> str:
    expected = reason.limit or reason.code.replace("_", " ")
    return f"{path}:{line}: {reason.field}: {reason.code}: expected {expected}, found {reason.found}"
