"""How a finished step reads on a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

import orjson

from curation.pipeline import Ran, Rehearsal
from curation.reasons import describe
from curation.recipes import Done
from curation.visible import on_one_line
from schemas.codec import dumps, rejection_row
from schemas.directory import read_manifest
from schemas.manifest import Counts
from schemas.mirror import address_of
from schemas.outcome import Rejection
from schemas.step import RECORDS, StepDirectory, is_step

WIDTH = 26
"""Columns of a reason code in a listing."""
SHOWN = 90
"""Characters of a text in an example."""


def step_text(ran: Ran) -> str:
    """Return the counts of a step as lines: kept and rejected first, then why, then where it is."""
    return _text(ran.step, reused=ran.reused)


def step_json(ran: Ran) -> str:
    """Return the counts of a step as one JSON line."""
    return _json(ran.step, reused=ran.reused)


def done_text(done: Done) -> str:
    """Return a recipe's step as lines."""
    return _text(done.step, reused=done.reused) if done.step else f"{done.kind}: {done.said}: {done.path}"


def done_json(done: Done) -> str:
    """Return a recipe's step as one JSON line."""
    if done.step:
        return _json(done.step, reused=done.reused)
    event = {"event": done.kind, "path": str(done.path), "reused": done.reused, "said": done.said}
    return orjson.dumps(event).decode()


def walked_text(walked: Sequence[Done]) -> str:
    """Return where a walked recipe left things, and what each step came to."""
    return "\n".join(["", "Where things are:", *(f"  {address_of(one.path):32} {_came_to(one)}" for one in walked)])


def _came_to(done: Done) -> str:
    if done.step is None:
        return done.said
    counts = done.step.manifest.counts
    return f"{counts.rows:,} rows, {counts.kept:,} kept, {counts.rejected:,} rejected"


def rehearsal_text(found: Rehearsal) -> str:
    """Return what a stage would do as lines: the counts, and for each reason its first rows."""
    lines = _counted(f"{found.stage} (dry run)", found.counts, found.before)
    for code, rows in found.examples.items():
        lines.append(f"for example {code}")
        lines += [f"  {line}" for row in rows for line in _example(row, code)]
    return "\n".join([*lines, "wrote nothing"])


def rehearsal_json(found: Rehearsal) -> str:
    """Return what a stage would do as one JSON line."""
    examples = {code: [rejection_row(row) for row in rows] for code, rows in found.examples.items()}
    event = {"event": "dry-run", "stage": found.stage, "counts": asdict(found.counts), "examples": examples}
    return dumps(event).decode()


def _example(row: Rejection, code: str) -> Iterator[str]:
    """Yield a rejected row and the evidence against it, each on a line."""
    reason = next(one for one in row.reasons if one.code == code)
    yield f"{row.id}  {_cut(row.row.get('instruction', ''))}"
    parts = [f"{reason.field}: {_cut(reason.found)}" if reason.field else _cut(reason.found)]
    parts += [f"the other is {reason.other}"] * bool(reason.other)
    parts += [f"{name} {score:.4f}" for name, score in reason.scores.items()]
    yield f"  {'; '.join(part for part in parts if part)}"


def _cut(value: object) -> str:
    line = on_one_line(str(value))
    return line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…"


def _text(step: StepDirectory, *, reused: bool) -> str:
    lines = _counted(step.manifest.stage, step.manifest.counts, _before(step))
    return "\n".join([*lines, f"{'reused' if reused else 'wrote'} {step.path}"])


def _counted(stage: str, counts: Counts, before: Counts) -> list[str]:
    """Return a stage's counts as lines; those of the step before it tell what was repaired and flagged earlier."""
    repairs, flags = _new(counts.repairs, before.repairs), _new(counts.flags, before.flags)
    head = [f"{stage}: {counts.rows:,} rows", f"{counts.kept:,} kept", f"{counts.rejected:,} rejected"]
    head += [f"{counts.repaired:,} repaired"] * bool(repairs) + [f"{counts.flagged:,} flagged"] * bool(flags)
    lines = [", ".join(head)]
    for title, table in (("rejected", counts.reasons), ("repaired", repairs), ("flagged", flags)):
        lines += [f"  {title:8} {code:{WIDTH}} {number:>7,}  {describe(code)}" for code, number in table.items()]
    return lines


def _before(step: StepDirectory) -> Counts:
    """Return the counts of the step whose records this one read; of none, no counts."""
    folders = [path.parent for path in step.input_paths() if path.name == RECORDS and is_step(path.parent)]
    return read_manifest(folders[0]).counts if folders else Counts()


def _new(table: Mapping[str, int], before: Mapping[str, int]) -> dict[str, int]:
    """Return what this step did: records keep their repairs and flags, so those of earlier steps are counted again."""
    return {code: number for code, number in table.items() if code not in before}


def _json(step: StepDirectory, *, reused: bool) -> str:
    event = {
        "event": "step",
        "stage": step.manifest.stage,
        "path": str(step.path),
        "reused": reused,
        "fingerprint": step.manifest.fingerprint,
        "counts": asdict(step.manifest.counts),
    }
    return orjson.dumps(event).decode()
