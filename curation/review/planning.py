"""Fixes a plan beside a step, and finds again what was planned and decided."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from curation.review.acceptance import Acceptance, Verdict, attempt_of, judge, verdicts_of
from curation.review.decisions import read_decisions
from curation.review.events import read_events
from curation.review.plan import (
    SAMPLE,
    Attempt,
    Plan,
    Wanted,
    make_plan,
    plan_beside,
    plan_lines,
    population_of,
    read_plan,
    size_of,
    stratum,
    write_plan,
)
from curation.review.resolve import holds_events, measured
from curation.review.sample import write_sample
from curation.review.store import read_store
from schemas.errors import InputError
from schemas.step import StepDirectory, is_step

Verdicts: TypeAlias = Mapping[str, Verdict]
"""Id → what was decided."""

REVIEW = "review"
"""The stage that applies decisions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A plan, and what people decided about its records."""

    plan: Plan
    verdicts: Mapping[str, Verdict]
    """Id → what was decided."""
    acceptance: Acceptance
    second: Mapping[str, Verdict] = field(default_factory=dict)
    """What a second reviewer decided, blind to the first."""


def fix_plan(step: StepDirectory, wanted: Wanted, after: Path | None = None) -> tuple[Plan, bool]:
    """Write the plan beside a step, and the drawn records for an editor; return it and whether it stood already.

    A plan that stands there, and the one in the file `after`, become listed attempts.

    Raises:
        InputError: see `make_plan`; or `after` is no plan.
    """
    place = plan_beside(step.path)
    attempts = _attempts(after) if after else ()
    if place.exists():
        standing = read_plan(place)
        if _is_same(standing, step, wanted):
            return standing, True
        attempts = (*attempts, *_attempts(place))
    plan = make_plan(step, wanted, _once(attempts))
    write_plan(place, plan)
    write_sample(place.with_name(SAMPLE), plan_lines(plan, step.records()))
    return plan, False


def look(plan: Path, decisions: Path | None = None, second: Path | None = None) -> Looked:
    """Return a plan and what was decided: in the file given, else in the one that stands beside the plan.

    Raises:
        InputError: no plan, or decisions that cannot be used.
    """
    fixed = read_plan(plan)
    first, other = _verdicts(decisions, fixed) if decisions else _beside(plan, fixed)
    if second:
        other, _ = _verdicts(second, fixed)
    return Looked(plan=fixed, verdicts=first, second=other, acceptance=judge(fixed, first, other))


def with_strata(looked: Looked, step: StepDirectory) -> Looked:
    """Return the same with what was found in each stratum, which only the records tell."""
    if not looked.plan.strata:
        return looked
    drawn = set(looked.plan.drawn)
    strata = {one.id: stratum(one, looked.plan.strata) for one in step.records() if one.id in drawn}
    return replace(looked, acceptance=judge(looked.plan, looked.verdicts, looked.second, strata))


def find_plan(step: StepDirectory) -> Path | None:
    """Return the plan about a step's records: beside it, or beside the lot that it is the corrected form of."""
    places = [plan_beside(step.path)]
    if step.manifest.stage == REVIEW:
        places.append(plan_beside(step.input_paths()[0].parent))
    return next((place for place in places if place.is_file()), None)


def look_beside(
    step: StepDirectory, plan: Path | None = None, decisions: Path | None = None, second: Path | None = None
) -> Looked | None:
    """Return the plan about a step and what was decided; None where there is none."""
    plan = plan or find_plan(step)
    if plan is None:
        return None
    looked = look(plan, decisions, second)
    lot = step if step.manifest.stage != REVIEW else _lot(step)
    return with_strata(looked, lot) if lot else looked


def _lot(step: StepDirectory) -> StepDirectory | None:
    """Return the step whose records a review step corrected, where it still stands."""
    before = step.input_paths()[0].parent
    return StepDirectory.peek(before) if is_step(before) else None


def _beside(place: Path, plan: Plan) -> tuple[Verdicts, Verdicts]:
    """Return what two reviewers decided on the screens; where nobody did, in the file that an editor opens."""
    on_screen = measured(read_store(place.parent), plan.sha256)
    if on_screen[0]:
        return verdicts_of(on_screen[0], plan), verdicts_of(on_screen[1], plan)
    sample = place.with_name(SAMPLE)
    return _verdicts(sample, plan) if sample.is_file() else ({}, {})


def _verdicts(decisions: Path, plan: Plan) -> tuple[Verdicts, Verdicts]:
    """Return the decisions of a file about a plan; refuse a file that was made for something else."""
    if holds_events(decisions):
        first, second = measured(read_events(decisions), plan.sha256)
        return verdicts_of(first, plan), verdicts_of(second, plan)
    found = read_decisions(decisions)
    verdicts = verdicts_of(found, plan)
    if not verdicts and any(one.decision for one in found):
        raise InputError(
            place=decisions, expected=f"decisions about plan {plan.sha256[:8]}", found="none that names it"
        )
    return verdicts, {}


def _attempts(plan: Path) -> tuple[Attempt, ...]:
    looked = look(plan)
    return (*looked.plan.attempts, attempt_of(looked.plan, looked.acceptance))


def _once(attempts: tuple[Attempt, ...]) -> tuple[Attempt, ...]:
    return tuple({one.plan_sha256: one for one in attempts}.values())


def _is_same(plan: Plan, step: StepDirectory, wanted: Wanted) -> bool:
    """Say whether a plan is what is wanted of these very records."""
    if plan.population.records_sha256 != step.records_file.sha256:
        return False
    n, c = size_of(wanted, population_of(step).rows)
    asked = (n, c, wanted.limit, wanted.confidence, wanted.method, wanted.strata, wanted.severities)
    fixed = (plan.n, plan.c, plan.limit, plan.confidence, plan.method, plan.strata, plan.severities)
    return asked == fixed and wanted.seed in (None, plan.seed)
