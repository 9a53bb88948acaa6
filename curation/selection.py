"""Runs a selection together with its controls.

OUT/            the selection
OUT-random/     as much, by chance
OUT-longest/    as much, the longest responses

Each is a step directory of its own over the same input, so dolly-train reads any of the three.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from curation.engine import HERE, Engine
from curation.pipeline import Ran, run_stage
from curation.select.budget import parse_budget
from curation.select.control import ORDERS, Control
from curation.select.stage import RANKING, Select
from schemas.errors import InputError
from schemas.outcome import SILENT, Aside
from schemas.step import StepDirectory


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much a step kept."""

    records: int
    tokens: int
    unscored: int
    """Records of the input without a score; they rank last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """A selection and its controls."""

    ran: Ran
    controls: dict[str, Ran]
    """Order → the control."""


def select(
    stage: Select,
    source: Path,
    target: Path,
    *,
    seed: int = 1,
    force: bool = False,
    aside: Aside = SILENT,
    engine: Engine = HERE,
) -> Selected:
    """Run the selection into `target` and its controls beside it, of the size that the selection came to.

    Raises:
        InputError: nothing was selected, so that there is no size; the step stands, and says why of each record.
    """
    ran = run_stage(stage, source, target, force=force, aside=aside, engine=engine)
    size = size_of(ran.step)
    if not size.records:
        said = f"none of {ran.step.manifest.counts.rows:,} selected: {target / 'rejected.jsonl'} says why of each"
        raise InputError(place="select", expected="room for a record, and scores that let it in", found=said)
    by_tokens = parse_budget(stage.keep).unit == "tokens"
    control = Control(
        order="random",
        records=0 if by_tokens else size.records,
        budget=size.tokens if by_tokens else 0,
        tokens=stage.tokens,
        seed=seed,
    )
    found = {}
    for order in ORDERS:
        beside = target.with_name(f"{target.name}-{order}")
        found[order] = run_stage(replace(control, order=order), source, beside, force=force, aside=aside)  # type: ignore[arg-type]  # a key of ORDERS
    return Selected(ran=ran, controls=found)


def size_of(step: StepDirectory) -> Size:
    """Return how much a selection or a control kept."""
    records = tokens = unscored = 0
    for row in step.rows(RANKING):
        records += row["selected"]
        tokens += row["tokens"] * row["selected"]
        unscored += "reason" in row
    return Size(records=records, tokens=tokens, unscored=unscored)
