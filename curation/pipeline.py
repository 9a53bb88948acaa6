"""Runs a source or a stage into a step directory."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from curation.engine import HERE, Engine
from schemas.codec import read_record
from schemas.errors import InputError
from schemas.manifest import Counts, FileDigest
from schemas.outcome import SILENT, Aside, Rejection, Source, Stage
from schemas.step import StepDirectory, is_step, step_input, write_step
from schemas.tally import Tally
from schemas.written import Written, written


@runtime_checkable
class ReadsFiles(Protocol):
    """What reads files can say which bytes they hold."""

    def inputs(self) -> list[FileDigest]:
        """Return the digests of what comes in."""


class InputSource(Source, ReadsFiles, Protocol):
    """A source that can say which bytes it reads."""


@runtime_checkable
class KeepsBeside(Protocol):
    """A source or stage that keeps something beside its step directory, which outlives it: answers, say."""

    def beside(self, step: Path) -> Any:
        """Return the same source or stage, keeping it there."""


@runtime_checkable
class LooksBack(Protocol):
    """A stage that uses what earlier steps left beside their records: scores, say."""

    def after(self, step: StepDirectory) -> Stage:
        """Return the same stage, told where that is; `step` is the one that it will read."""


@runtime_checkable
class ByRecord(Protocol):
    """A stage that judges each record by itself and leaves nothing beside: chunks can be judged anywhere."""

    by_record: bool


@runtime_checkable
class RunsOn(Protocol):
    """A stage that looks at all records together, and spreads what it does with them over an engine's workers."""

    def on(self, engine: Engine) -> Stage:
        """Return the same stage, to be run there."""


@runtime_checkable
class Spreads(Protocol):
    """A source that can have its rows judged by an engine's workers."""

    def spread(self, engine: Engine, aside: Aside, start: int = 0) -> Iterator[Written]:
        """Yield the same outcomes after the first `start`, written down, in the same order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a step came to."""

    step: StepDirectory
    reused: bool
    """True where a complete step with the same fingerprint stood there already."""


def open_input(path: Path) -> StepDirectory:
    """Open the step directory that a stage is to read, every byte verified.

    Raises:
        InputError: a foreign file or folder, which `dolly-data validate` turns into a step directory first.
    """
    if is_step(path):
        return StepDirectory.open(path)
    if path.exists():
        raise InputError(
            place=path,
            expected="a step directory",
            found=f"something else: dolly-data validate {path} -o DIR makes one",
        )
    raise InputError(place=path, expected="a step directory", found="nothing")


def run_stage(
    stage: Stage,
    source: Path,
    target: Path,
    *,
    force: bool = False,
    aside: Aside = SILENT,
    engine: Engine = HERE,
) -> Ran:
    """Run `stage` over the kept records of the step at `source` into the step directory `target`."""
    if source.resolve() == target.resolve():
        raise InputError(place=target, expected="another directory than the input", found="the same")
    before = open_input(source)
    stage = stage.on(engine) if isinstance(stage, RunsOn) else stage
    stage = _told(stage.beside(target) if isinstance(stage, KeepsBeside) else stage, before)
    step, reused = write_step(
        target,
        stage,
        lambda leave: stage(before.records(), leave),
        inputs=[step_input(before), *more_inputs(stage)],
        force=force,
        aside=aside,
        shard=engine.shard,
        rest=partial(judged, stage, before, engine) if isinstance(stage, ByRecord) and stage.by_record else None,
    )
    return Ran(step=step, reused=reused)


def judged(stage: Stage, before: StepDirectory, engine: Engine, aside: Aside, start: int = 0) -> Iterator[Written]:
    """Yield what becomes of a step's records after the first `start`: each judged by itself, by the workers."""
    work = partial(_judged, stage, str(before.path))
    chunks = engine.chunks(islice(before.lines(), start, None), start)
    parts = engine.map(work, ((chunk[0][0], b"".join(line for _, line in chunk)) for chunk in chunks))
    return told(parts, "records", aside, before.manifest.counts.kept, start)


def _judged(stage: Stage, place: str, some: tuple[int, bytes]) -> Written:
    """Judge some lines of a step, after the number of the first: the work of a worker."""
    lines = enumerate(BytesIO(some[1]), some[0])
    return written(stage(read_record(line, f"{place}:{number}") for number, line in lines))


def told(
    parts: Iterable[Written], what: str, aside: Aside, total: int | None = None, done: int = 0
) -> Iterator[Written]:
    """Pass parts on, saying how far it has come; `done` were before them."""
    for part in parts:
        yield part
        done += part.tally.rows
        aside.progress(what, done, total)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What a stage would do."""

    stage: str
    counts: Counts
    before: Counts
    """Of the step that was read: records keep the repairs and flags of earlier steps."""
    examples: Mapping[str, tuple[Rejection, ...]]
    """Reason code → the first rows that would be rejected for it."""


def rehearse(stage: Stage, source: Path, *, aside: Aside = SILENT, examples: int = 3) -> Rehearsal:
    """Run `stage` over the step at `source` and write nothing: say what would become of its records.

    Vectors that had to be computed are kept in the cache of embeddings, as ever.
    """
    before = open_input(source)
    stage = _told(stage, before)
    more_inputs(stage)  # a file that cannot be read is said now, not at the real run
    tally, found = Tally(), dict[str, tuple[Rejection, ...]]()
    for outcome in stage(before.records(), aside):
        tally.add(outcome)
        if isinstance(outcome, Rejection):
            for code in {reason.code: None for reason in outcome.reasons}:
                found[code] = (*found.get(code, ()), outcome)[:examples]
    return Rehearsal(stage=stage.name, counts=tally.counts(), before=before.manifest.counts, examples=found)


def _told(stage: Stage, before: StepDirectory) -> Stage:
    return stage.after(before) if isinstance(stage, LooksBack) else stage


def more_inputs(stage: Stage) -> list[FileDigest]:
    """Return what a stage reads besides the records: a file of decisions, say."""
    return stage.inputs() if isinstance(stage, ReadsFiles) else []


def run_source(
    source: InputSource, target: Path, *, force: bool = False, aside: Aside = SILENT, engine: Engine = HERE
) -> Ran:
    """Run a source, which makes records out of something else, into the step directory `target`."""
    source = source.beside(target) if isinstance(source, KeepsBeside) else source
    step, reused = write_step(
        target,
        source,
        source,
        inputs=source.inputs(),
        force=force,
        aside=aside,
        shard=engine.shard,
        rest=partial(source.spread, engine) if isinstance(source, Spreads) else None,
    )
    return Ran(step=step, reused=reused)
