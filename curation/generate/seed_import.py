"""Seeds out of data that somebody has: so many rows of each category that a proof-reader has nothing to say about."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from curation.generate.novelty import Pool
from curation.generate.seeds import TOO_SIMILAR, seeds_by_category, undecided, unfit
from curation.sources import Validate
from schemas.codec import dumps
from schemas.errors import InputError
from schemas.formats import write_row
from schemas.outcome import Rejection
from schemas.record import InstructionRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedDraw:
    """Draws seeds from a data set."""

    source: str
    """A file, a folder or a Hub id, in any format that `validate` reads."""
    n: int = 160
    """Seeds to draw; fewer where the data holds no more that are fit."""
    seed: int = 1
    """Decides which rows are drawn."""
    category: str = ""
    """Given to rows that name no category."""

    def __post_init__(self) -> None:
        """Refuse to draw nothing."""
        if self.n < 1:
            raise InputError(place="seeds", field="n", expected="1 or more", found=str(self.n))

    def __call__(self) -> "Drawn":
        """Draw, from each category in turn, the next row that is fit and new.

        Raises:
            InputError: nothing there to draw from, or nothing fit.
        """
        passed: Counter[str] = Counter()
        records = self._records(passed)
        by_category = seeds_by_category(sorted(records, key=self._lot))
        pool = Pool()
        queues = [_fit_and_new(of, pool, passed) for of in by_category.values()]
        taken = list(islice(_in_turn(queues), self.n))
        if not taken:
            raise InputError(place=self.source, expected="rows that could be seeds", found="none")
        ordered = [seed for of in seeds_by_category(taken).values() for seed in of]
        return Drawn(seeds=tuple(ordered), passed=passed)

    def _records(self, passed: Counter[str]) -> list[InstructionRecord]:
        """Return the rows that are records; the others are passed over."""
        found: list[InstructionRecord] = []
        for outcome in Validate(source=self.source)():
            if isinstance(outcome, Rejection):
                passed[outcome.reasons[0].code] += 1
            elif undecided(outcome):
                passed["draft_not_approved"] += 1
            else:
                found.append(replace(outcome, category=outcome.category or self.category))
        return found

    def _lot(self, record: InstructionRecord) -> tuple[bytes, int]:
        """Return a record's place in the draw: its own, whatever stands before it in the file."""
        lot = hashlib.sha256(f"{self.seed} {record.id}".encode("utf-8", "surrogatepass")).digest()
        return lot, record.provenance.line or 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Seeds out of a data set."""

    seeds: tuple[InstructionRecord, ...]
    """By category."""
    passed: Counter[str]
    """What was met and not taken, by what was wrong with it."""


def write_seeds(seeds: Iterable[InstructionRecord], path: Path, *, force: bool = False) -> None:
    """Write a seed file; each seed says which row of which file it was.

    Raises:
        InputError: a file stands there already, in which somebody may have worked.
    """
    write_rows((_row(seed) for seed in seeds), path, force=force)


def write_rows(rows: Iterable[dict[str, Any]], path: Path, *, force: bool = False) -> None:
    """Write rows as JSON lines, whole or not at all.

    Raises:
        InputError: a file stands there already.
    """
    refuse_existing(path, force=force)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_bytes(b"".join(dumps(row) + b"\n" for row in rows))
    unfinished.replace(path)


def refuse_existing(path: Path, *, force: bool = False) -> None:
    """Refuse to write over a file.

    Raises:
        InputError: one stands there already.
    """
    if path.exists() and not force:
        raise InputError(place=path, expected="no file (or --force)", found="one")


def _row(seed: InstructionRecord) -> dict[str, Any]:
    return {**write_row(seed, "dolly"), "source": f"{seed.provenance.source}:{seed.provenance.line}"}


def _fit_and_new(records: Sequence[InstructionRecord], pool: Pool, passed: Counter[str]) -> Iterator[InstructionRecord]:
    """Yield the records that the filters would keep and that are unlike those before."""
    for record in records:
        codes = pool.encode(record.instruction)
        near = pool.nearest(codes)
        if near and near.score >= TOO_SIMILAR:
            passed["instruction_not_new"] += 1
        elif reason := next(unfit(record), None):
            passed[reason.code] += 1
        else:
            pool.add(codes)
            yield record


def _in_turn(queues: Sequence[Iterator[InstructionRecord]]) -> Iterator[InstructionRecord]:
    """Yield one of each queue, and again, until all are empty."""
    left = list(queues)
    while left:
        for queue in tuple(left):
            record = next(queue, None)
            if record is None:
                left.remove(queue)
            else:
                yield record
