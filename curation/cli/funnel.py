"""`dolly-data funnel`: what is left after each gate, on a terminal."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from curation.cli.base import STEP, echo_event

if TYPE_CHECKING:
    from curation.report.funnel import Funnel

TOP = 5
"""Reasons shown for each gate; --json has them all."""
WIDTH = 100
"""Characters of a sample that a line shows."""


@click.command()
@click.argument("directory", metavar="DIR", type=STEP)
@click.option("--samples", default=3, show_default=True, help="Rejected rows shown for each reason.")
@click.option("--seed", default=1, show_default=True, help="Draws the samples.")
@click.option("--json", "as_json", is_flag=True, help="Print it as a JSON line.")
def funnel(directory: Path, samples: int, seed: int, *, as_json: bool) -> None:
    """Show what was left after each gate on the way to the step DIR, and why the rest was lost.

    For generated records: requests, items, those that were whole, gated, new, agreed; then each step that followed. The
    commonest reasons of each stand under it, with some of the rows.
    """
    from dataclasses import asdict

    from curation.pipeline import open_input
    from curation.report.funnel import funnel_of

    found = funnel_of(open_input(directory), seed=seed, samples=samples)
    echo_event({"event": "funnel", **asdict(found)}, "\n".join(_lines(found)), as_json=as_json)


def _lines(found: "Funnel") -> Iterator[str]:
    from curation.visible import on_one_line

    if found.gap:
        yield f"begins here: {on_one_line(found.gap)}"
    if found.requests is not None:
        yield f"{'requests':14} {found.requests:>9,}"
    first = found.gates[0].left
    for gate in found.gates:
        share = f" {gate.left / first:>7.1%}" if first else ""
        yield f"{on_one_line(gate.name):14} {gate.left:>9,}{share}"
        for lost in gate.lost[:TOP]:
            yield f"  {-lost.rows:>10,}  {on_one_line(lost.code)}"
            yield from (f"{'':16}{_short(on_one_line(sample))}" for sample in lost.samples)
        if (more := len(gate.lost) - TOP) > 0:
            yield f"{'':14}and {more:,} more reason{'s' if more > 1 else ''}"


def _short(line: str) -> str:
    return line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"
