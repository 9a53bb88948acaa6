"""How a finished step reads on a terminal."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import orjson

from curation.pipeline import Ran
from curation.reasons import describe
from curation.recipes import Done
from schemas.manifest import Counts
from schemas.step import RECORDS, StepDirectory, is_step, read_manifest

WIDTH = 26
"""Columns of a reason code in a listing."""


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
    return "\n".join(["", "Where things are:", *(f"  {one.path!s:32} {_came_to(one)}" for one in walked)])


def _came_to(done: Done) -> str:
    if done.step is None:
        return done.said
    counts = done.step.manifest.counts
    return f"{counts.rows:,} rows, {counts.kept:,} kept, {counts.rejected:,} rejected"


def _text(step: StepDirectory, *, reused: bool) -> str:
    counts, before = step.manifest.counts, _before(step)
    repairs, flags = _new(counts.repairs, before.repairs), _new(counts.flags, before.flags)
    head = [f"{step.manifest.stage}: {counts.rows:,} rows", f"{counts.kept:,} kept", f"{counts.rejected:,} rejected"]
    head += [f"{counts.repaired:,} repaired"] * bool(repairs) + [f"{counts.flagged:,} flagged"] * bool(flags)
    lines = [", ".join(head)]
    for title, table in (("rejected", counts.reasons), ("repaired", repairs), ("flagged", flags)):
        lines += [f"  {title:8} {code:{WIDTH}} {number:>7,}  {describe(code)}" for code, number in table.items()]
    return "\n".join([*lines, f"{'reused' if reused else 'wrote'} {step.path}"])


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
