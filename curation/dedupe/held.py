"""Records that are kept already, such as those of an earlier release: new ones are held against them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from curation.dedupe.decide import Match
from curation.dedupe.pool import Pool
from curation.sources import Validate
from schemas.directory import read_manifest
from schemas.errors import InputError
from schemas.manifest import FileDigest
from schemas.mirror import here
from schemas.outcome import Rejection
from schemas.record import InstructionRecord
from schemas.step import RECORDS, StepDirectory, is_step, step_input


def held_records(places: Sequence[str]) -> Iterator[InstructionRecord]:
    """Yield the records of steps, releases and foreign files; their source says which of these they stand in."""
    for place in places:
        for line, record in enumerate(_records(place), 1):
            yield replace(record, provenance=replace(record.provenance, source=place, line=line))


def held_files(places: Sequence[str]) -> list[FileDigest]:
    """Return the digests of what `held_records` reads.

    Raises:
        InputError: nothing there, or nothing that can be read.
    """
    return [digest for place in places for digest in _files(place)]


def count_held(pool: Pool, matches: Mapping[int, Match]) -> Iterator[dict[str, Any]]:
    """Yield for each place how many records it holds, and how many new ones are duplicates of those."""
    rejected: Counter[tuple[str, str]] = Counter()
    for match in matches.values():
        if match.row < pool.held:
            kind = "exact" if match.cosine is None else "near"
            rejected[pool.groups[pool.in_group[match.row]].source, kind] += 1
    records = Counter(pool.groups[pool.in_group[row]].source for row in range(pool.held))
    for place, number in records.items():
        counts = {kind: rejected[place, kind] for kind in ("exact", "near")}
        yield {"against": place, "records": number, **counts}


def _records(place: str) -> Iterator[InstructionRecord]:
    path = here(place)
    if _is_step(path):
        return StepDirectory.open(path).records()
    outcomes = Validate(source=str(path))()
    return (one for one in outcomes if not isinstance(one, Rejection))


def _files(place: str) -> list[FileDigest]:
    path = here(place)
    if not path.exists():
        raise InputError(place=place, expected="a step, a release or a file to hold records against", found="nothing")
    return [step_input(StepDirectory.open(path))] if _is_step(path) else Validate(source=str(path)).inputs()


def _is_step(path: Path) -> bool:
    return is_step(path) and read_manifest(path).output(RECORDS) is not None
