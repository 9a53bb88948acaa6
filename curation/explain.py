"""What happened to one record: every step of a run that saw it, in order, from where it came in to the checkpoint.

The steps found under a folder are ordered by their manifests (a step follows the step whose records it read). A record
that was repaired or edited has another id afterwards; both are followed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeAlias

from schemas.codec import dumps, loads, read_record, read_rejection
from schemas.directory import MANIFEST, read_manifest
from schemas.errors import InputError
from schemas.manifest import Manifest
from schemas.outcome import Outcome, Rejection
from schemas.record import TEXT_FIELDS, InstructionRecord, Row
from schemas.step import RECORDS, REJECTED, StepDirectory

SHORTEST = 4
"""Fewest characters of an id that are looked up."""
RUN_RECORD = "run.json"


Steps: TypeAlias = list[tuple[Path, Manifest]]
"""Where each step stands, in the order they were made."""


class Note(NamedTuple):
    """A row that a stage left about a record, and the file it left it in."""

    name: str
    row: Row


class Verdict(NamedTuple):
    """What one check says of a record."""

    code: str
    action: str
    passed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One step that saw the record, and what it made of it."""

    path: Path
    manifest: Manifest
    outcome: Outcome
    notes: tuple[Note, ...] = ()
    """Rows that the stage left about it beside its outcomes: its nearest neighbour, a reviewer's decision."""
    verdicts: tuple[Verdict, ...] = ()
    """What every check of a filter step says of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Everything a run folder knows of one record."""

    ids: tuple[str, ...]
    """Its ids, oldest first."""
    sightings: tuple[Sighting, ...]
    checkpoints: tuple[Path, ...]
    """Checkpoints that were trained on a step or release that holds it."""


def explain(wanted: str, *roots: Path) -> Story:
    """Return the story of the record called `wanted` (an id, the start of one, or FILE:LINE) in the runs under `roots`.

    Raises:
        InputError: no steps there, or nothing of that name, or several.
    """
    steps = ordered_steps(*roots)
    if not steps:
        raise InputError(place=", ".join(map(str, roots)), expected="step directories", found="none")
    ids = _family(_find(wanted, steps), steps)
    sightings = tuple(sight for path, manifest in steps for sight in _sightings(ids, path, manifest))
    return Story(ids=ids, sightings=sightings, checkpoints=tuple(_checkpoints(roots, sightings)))


def ordered_steps(*roots: Path) -> Steps:
    """Return the finished steps and releases under `roots`, each after the steps whose records it read."""
    found = {path.parent.resolve(): read_manifest(path.parent) for path in _files(roots, MANIFEST)}
    ordered: dict[Path, Manifest] = {}

    def place(path: Path) -> None:
        if path in ordered or path not in found:
            return
        for one in found[path].inputs:
            place((path / one.path).resolve().parent)
        ordered[path] = found[path]

    for path in found:
        place(path)
    return list(ordered.items())


def _find(wanted: str, steps: Steps) -> str:
    """Return the full id that `wanted` means: in the earliest step that knows it, for a place in a file."""
    file, _, line = wanted.rpartition(":")
    if file and line.isdigit():
        return _only(wanted, _standing_at(Path(file).name, int(line), steps))
    if len(wanted) < SHORTEST:
        raise InputError(place=wanted, expected=f"{SHORTEST} characters of an id, or FILE:LINE", found=str(len(wanted)))
    rows = (row for path, manifest in steps for row in _rows(path, manifest, wanted))
    return _only(wanted, {str(row["id"]) for row in rows if str(row["id"]).startswith(wanted)})


def _standing_at(file: str, line: int, steps: Steps) -> set[str]:
    for path, manifest in steps:
        found = set()
        for row in _rows(path, manifest, f'"line":{line}'):
            came = row.get("provenance", {})
            if came.get("source") == file and came.get("line") == line:
                found.add(str(row["id"]))
        if found:
            return found
    return set()


def _only(wanted: str, ids: set[str]) -> str:
    if len(ids) == 1:
        return ids.pop()
    found = f"{len(ids)}: {', '.join(sorted(ids)[:5])}" if ids else "none in these steps"
    raise InputError(place=wanted, expected="one record", found=found)


def _family(wanted: str, steps: Steps) -> tuple[str, ...]:
    """Return all ids of the record, oldest first: those before `wanted`, and those that came of it."""
    family = [wanted]
    for path, manifest in steps:
        for row in _rows(path, manifest, wanted):
            line = [*row.get("provenance", {}).get("previous", ()), str(row["id"])]
            if wanted in line and len(line) > len(family):
                family = line
    return tuple(family)


def _sightings(ids: tuple[str, ...], path: Path, manifest: Manifest) -> Iterator[Sighting]:
    """Yield what one step made of the record: once, or once for each of several equal rows."""
    notes = tuple(note for one in ids for note in _notes(one, path, manifest))
    for outcome in (outcome for one in ids for outcome in _outcomes(one, path, manifest)):
        verdicts = _verdicts(outcome, manifest)
        yield Sighting(path=path, manifest=manifest, outcome=outcome, notes=notes, verdicts=verdicts)


def _verdicts(outcome: Outcome, manifest: Manifest) -> tuple[Verdict, ...]:
    """Ask every check of a filter step again: checks are pure and the manifest has their settings."""
    if manifest.stage != "filter":
        return ()
    from curation.filters.stage import Filter, verdicts  # noqa: PLC0415  # only filter steps need it

    record = outcome if isinstance(outcome, InstructionRecord) else read_record(dumps(outcome.row))
    said = verdicts(record, Filter(checks=manifest.config["checks"]).chosen())
    return tuple(Verdict(one.code, one.action, one.finding is None) for one in said)


def _outcomes(wanted: str, path: Path, manifest: Manifest) -> Iterator[Outcome]:
    step = StepDirectory(path, manifest)
    for line in _lines(step, RECORDS, wanted):
        if (record := read_record(line)).id == wanted:
            yield record
    for line in _lines(step, REJECTED, wanted):
        if (rejection := read_rejection(line)).id == wanted:
            yield rejection
    for file in manifest.outputs:
        if file.path.endswith(".parquet"):
            yield from _released(wanted, path / file.path)


def _released(wanted: str, path: Path) -> Iterator[InstructionRecord]:
    import pyarrow.parquet as pq  # noqa: PLC0415  # only releases need it

    for row in pq.read_table(path, filters=[("id", "=", wanted)]).to_pylist():
        texts = {name: row[name] for name in TEXT_FIELDS}
        yield InstructionRecord(**texts, category=row.get("category") or "")


def _notes(wanted: str, path: Path, manifest: Manifest) -> Iterator[Note]:
    for file in manifest.outputs:
        if file.path.endswith(".jsonl") and file.path not in (RECORDS, REJECTED):
            for row in map(loads, _lines(StepDirectory(path, manifest), file.path, wanted)):
                if row.get("id") == wanted:
                    yield Note(Path(file.path).stem, row)


def _checkpoints(roots: Iterable[Path], sightings: tuple[Sighting, ...]) -> Iterator[Path]:
    """Yield the checkpoints under `roots` whose run record names a step or release that kept the record."""
    kept = {sight.manifest.fingerprint for sight in sightings if not isinstance(sight.outcome, Rejection)}
    for path in _files(roots, RUN_RECORD):
        if loads(path.read_bytes()).get("data", {}).get("fingerprint") in kept:
            yield path.parent


def _files(roots: Iterable[Path], name: str) -> list[Path]:
    """Return the files of that name under folders, sorted."""
    return sorted(path for root in roots for path in root.rglob(name))


def _rows(path: Path, manifest: Manifest, mention: str) -> Iterator[Row]:
    """Yield the rows of a step's own files that mention a string."""
    for name in (RECORDS, REJECTED):
        yield from map(loads, _lines(StepDirectory(path, manifest), name, mention))


def _lines(step: StepDirectory, name: str, mention: str) -> Iterator[bytes]:
    """Yield the lines of an output that mention a string, without parsing the others."""
    return (line for _, line in step.lines(name) if mention.encode() in line)
