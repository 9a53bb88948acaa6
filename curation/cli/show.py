"""How a finished step reads on a terminal."""

from dataclasses import asdict

import orjson

from curation.pipeline import Ran
from curation.reasons import describe
from curation.recipes import Done
from schemas.step import StepDirectory

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


def _text(step: StepDirectory, *, reused: bool) -> str:
    counts = step.manifest.counts
    head = f"{step.manifest.stage}: {counts.rows:,} rows, {counts.kept:,} kept, {counts.rejected:,} rejected"
    more = [
        f"{number:,} {word}" for number, word in ((counts.repaired, "repaired"), (counts.flagged, "flagged")) if number
    ]
    lines = [", ".join([head, *more])]
    for title, table in (("rejected", counts.reasons), ("repaired", counts.repairs), ("flagged", counts.flags)):
        lines += [f"  {title:8} {code:{WIDTH}} {number:>7,}  {describe(code)}" for code, number in table.items()]
    return "\n".join([*lines, f"{'reused' if reused else 'wrote'} {step.path}"])


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
