"""The acceptance plan on disk, and the records that it drew, in a file that an editor opens.

DIR.review/plan.json      beside the step directory DIR, whose records it is about
DIR.review/sample.jsonl   the drawn records, to be decided about
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from curation.review.plan import Plan
from schemas.codec import adapter, loads
from schemas.errors import InputError
from schemas.record import InstructionRecord

FILE = "plan.json"
SAMPLE = "sample.jsonl"


def plan_beside(step: Path) -> Path:
    """Return where the plan about a step directory stands."""
    step = step.resolve()
    return step.parent / f"{step.name}.review" / FILE


def plan_json(plan: Plan) -> bytes:
    """Return the plan as it stands on disk, with its hash."""
    row = {**adapter(Plan).dump_python(plan, mode="json"), "sha256": plan.sha256}
    return orjson.dumps(row, option=orjson.OPT_INDENT_2) + b"\n"


def read_plan(path: Path) -> Plan:
    """Read a plan back.

    Raises:
        InputError: none there, or not as it was written.
    """
    if not path.is_file():
        raise InputError(place=path, expected="a plan: dolly-data review plan DIR makes one", found="nothing")
    try:
        row: dict[str, Any] = loads(path.read_bytes())
        written = row.pop("sha256", "")
        plan: Plan = adapter(Plan).validate_python(row)
    except (ValueError, AttributeError) as error:
        raise InputError(place=path, expected="a plan", found=str(error).splitlines()[0]) from error
    if written != plan.sha256:
        raise InputError(
            place=path, field="sha256", expected=f"{plan.sha256} (the plan was changed)", found=str(written)
        )
    return plan


def write_plan(path: Path, plan: Plan) -> None:
    """Write a plan; an earlier one is kept under its number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        for name in (FILE, SAMPLE):
            old = path.with_name(name)
            if old.exists():
                old.rename(path.with_name(f"attempt-{plan.number - 1}-{name}"))
    # a running server reads it at any time, and never half of it
    draft = path.with_name(f".{path.name}.writing")
    draft.write_bytes(plan_json(plan))
    draft.replace(path)


def plan_lines(plan: Plan, records: Iterable[InstructionRecord]) -> Iterator[dict[str, Any]]:
    """Yield the drawn records, in the plan's order, as lines that a person edits: blind, without what checks said."""
    wanted = {record.id: record for record in records if record.id in set(plan.drawn)}
    drawn = {"fate": "kept", "seed": plan.seed, "of": plan.population.rows, "plan": plan.sha256}
    for name in plan.drawn:
        record = wanted[name]
        texts = {one: getattr(record, one) for one in ("instruction", "context", "response", "category")}
        yield {"id": name, **texts, "decision": None, "severity": "", "note": "", "drawn": drawn}


def plan_words(plan: Plan) -> str:
    """Return a plan as lines for a terminal."""
    rule = (
        f"passes with at most {plan.c} of them defective"
        if plan.method == "fixed"
        else "passes when the evidence suffices"
    )
    lines = [
        f"look at {plan.n:,} of {plan.population.rows:,} records, drawn by seed {plan.seed}",
        f"{rule}: then at most {100 * plan.limit:g} % are defective, with {100 * plan.confidence:g} % confidence",
        f"defects: {', '.join(plan.severities)}, and whatever is rejected without a severity",
    ]
    lines += [f"{count:,} from {name or 'no ' + plan.strata}" for name, count in plan.allocation.items()]
    lines += [
        f"attempt {at}: {one.outcome}, {one.defects} defects in {one.reviewed:,} of {one.n:,}"
        for at, one in enumerate(plan.attempts, 1)
    ]
    return "\n".join(lines)
