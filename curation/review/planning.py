"""Fixes a plan beside a step, and finds again what was planned and decided."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from curation.review.acceptance import Acceptance, Verdict, attempt_of, judge
from curation.review.plan import (
    Attempt,
    Plan,
    Wanted,
    make_plan,
    population_of,
    size_of,
    stratum,
)
from curation.review.plan_file import SAMPLE, plan_beside, plan_lines, read_plan, write_plan
from curation.review.sample import write_sample
from curation.review.verdicts import Said, said_beside, said_in
from schemas.errors import InputError
from schemas.step import StepDirectory, is_step

REVIEW = "review"
"""The stage that applies decisions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A plan, and what people decided about its records."""

    plan: Plan
    acceptance: Acceptance
    said: Said = field(default_factory=Said)

    @property
    def verdicts(self) -> Mapping[str, Verdict]:
        """What counts of each record, by id: what the reviewer said, or what was settled between two."""
        return {**self.said.first, **self.said.settled}


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptanceFiles:
    """Where a plan stands and what people decided about its records."""

    plan: str = ""
    """The file of the plan; empty: the one that stands beside the step."""
    decisions: str = ""
    """What people decided about the plan's records; empty: what stands beside the plan."""
    second: str = ""
    """What a second reviewer decided about some of them; empty: nobody, or it stands with the others."""

    def look(self, step: StepDirectory) -> Looked | None:
        """Return the plan about a step and what was decided; None where there is none.

        Raises:
            InputError: a plan or decisions that cannot be used, or decisions in two places and no word on which count.
        """
        return look_beside(step, *(Path(name) if name else None for name in (self.plan, self.decisions, self.second)))


BESIDE = AcceptanceFiles()


def fix_plan(step: StepDirectory, wanted: Wanted, after: Path | None = None) -> tuple[Plan, bool]:
    """Write the plan beside a step, and the drawn records for an editor; return it and whether it stood already.

    A plan that stands there, and the one in the file `after`, become listed attempts.

    Raises:
        InputError: see `make_plan`; or `after` is no plan; or drawn records stand there without their plan.
    """
    place = plan_beside(step.path)
    attempts = _attempts(after) if after else ()
    if place.exists():
        standing = read_plan(place)
        if _is_same(standing, step, wanted):
            _write_drawn(standing, step)
            return standing, True
        attempts = (*attempts, *_attempts(place))
    elif (sample := place.with_name(SAMPLE)).exists():
        found = "none; move the sample away, it may hold decisions"
        raise InputError(place=sample, expected=f"the {place.name} that it was drawn by beside it", found=found)
    plan = make_plan(step, wanted, _once(attempts))
    write_plan(place, plan)
    _write_drawn(plan, step)
    return plan, False


def _write_drawn(plan: Plan, step: StepDirectory) -> None:
    """Write the drawn records for an editor, unless they stand there: also where an earlier run got no further."""
    place = plan_beside(step.path).with_name(SAMPLE)
    if not place.exists():
        write_sample(place, plan_lines(plan, step.records()))


def look(plan: Path, decisions: Path | None = None, second: Path | None = None) -> Looked:
    """Return a plan and what was decided: in the file given, else on the screens or in the sample beside the plan.

    Raises:
        InputError: no plan, or decisions that cannot be used.
    """
    fixed = read_plan(plan)
    said = said_in(decisions, fixed) if decisions else said_beside(plan, fixed, SAMPLE)
    if second:
        said = replace(said, second=said_in(second, fixed).first)
    return looked_at(fixed, said)


def looked_at(plan: Plan, said: Said, strata: Mapping[str, str] | None = None) -> Looked:
    """Judge what was decided about a plan's records."""
    found = judge(plan, said.first, said.second, said.settled, strata)
    return Looked(plan=plan, said=said, acceptance=replace(found, canaries=said.canaries, caught=said.caught))


def with_strata(looked: Looked, step: StepDirectory) -> Looked:
    """Return the same with what was found in each stratum, which only the records tell."""
    if not looked.plan.strata:
        return looked
    drawn = set(looked.plan.drawn)
    strata = {one.id: stratum(one, looked.plan.strata) for one in step.records() if one.id in drawn}
    return looked_at(looked.plan, looked.said, strata)


def find_plan(step: StepDirectory) -> Path | None:
    """Return the plan about a step's records: beside it, or beside the lot that it is the corrected form of."""
    places = [plan_beside(step.path)]
    if step.manifest.stage == REVIEW:
        places.append(plan_beside(step.input_paths()[0].parent))
    return next((place for place in places if place.is_file()), None)


def is_about(plan: Plan, step: StepDirectory) -> bool:
    """Say whether a plan is about a step's records, or about the lot whose corrected form they are."""
    read = [step.records_file.sha256]
    if step.manifest.stage == REVIEW:
        read.append(step.manifest.inputs[0].sha256)
    return plan.population.records_sha256 in read


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
