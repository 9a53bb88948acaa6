"""How a finished step reads on a terminal."""

import orjson

from curation.pipeline import Ran
from curation.reasons import describe

WIDTH = 26
"""Columns of a reason code in a listing."""


def step_text(ran: Ran) -> str:
    """Return the counts of a step as lines: kept and rejected first, then why, then where it is."""
    manifest, counts = ran.step.manifest, ran.step.manifest.counts
    head = f"{manifest.stage}: {counts.rows:,} rows, {counts.kept:,} kept, {counts.rejected:,} rejected"
    tails = [f"{counts.repaired:,} repaired"] * bool(counts.repaired) + [f"{counts.flagged:,} flagged"] * bool(
        counts.flagged
    )
    lines = [", ".join([head, *tails])]
    for title, table in (("rejected", counts.reasons), ("repaired", counts.repairs), ("flagged", counts.flags)):
        lines += [f"  {title:8} {code:{WIDTH}} {number:>7,}  {describe(code)}" for code, number in table.items()]
    lines.append(f"{'reused' if ran.reused else 'wrote'} {ran.step.path}")
    return "\n".join(lines)


def step_json(ran: Ran) -> str:
    """Return the counts of a step as one JSON line."""
    from dataclasses import asdict

    manifest = ran.step.manifest
    event = {
        "event": "step",
        "stage": manifest.stage,
        "path": str(ran.step.path),
        "reused": ran.reused,
        "fingerprint": manifest.fingerprint,
        "counts": asdict(manifest.counts),
    }
    return orjson.dumps(event).decode()
