"""The gate: a plan was fixed, people kept to it, the lot passed, and these are the very records it was about.

What may differ from the lot that was sampled: drawn records that a reviewer rejected may be gone, and those that one
corrected may be as corrected. That makes the lot better than the sentence says, never worse.
"""

from collections.abc import Iterable
from pathlib import Path

from curation.release.diff import known_in
from curation.release.evidence import decisions_digest, read_evidence
from curation.review.acceptance import at_most, defects_words
from curation.review.plan import Plan, draw_ids, ids_digest
from curation.review.planning import Looked, is_about, look_beside
from schemas.directory import read_manifest
from schemas.errors import InputError
from schemas.release import GateRecord
from schemas.sealed import RELEASE, open_release
from schemas.step import StepDirectory


def gate_of(step: StepDirectory, looked: Looked | None) -> GateRecord:
    """Return whether a step's records may be released, and why not."""
    if looked is None:
        return GateRecord()
    return record(looked, _not_the_lot(step, looked))


def record(looked: Looked, other: list[str]) -> GateRecord:
    """Return what a release says of its gate; `other` tells why these are not the records that the plan is about."""
    plan, found = looked.plan, looked.acceptance
    if other:
        sentence = f"The plan that stands there is about other records: {'; '.join(other)}."
        return GateRecord(state="failed", sentence=sentence, plan_sha256=plan.sha256, problems=tuple(other))
    problems = tuple(_not_passed(looked))
    state = found.outcome if found.outcome in ("failed", "open") else "passed"
    return GateRecord(
        state=state,
        sentence=found.sentence,
        plan_sha256=plan.sha256,
        decisions_sha256=decisions_digest(looked),
        reviewed=found.reviewed,
        defects=found.defects,
        upper_bound=round(found.upper_bound, 6),
        limit=plan.limit,
        confidence=plan.confidence,
        problems=problems,
    )


def other_lot(ids: Iterable[str], looked: Looked) -> list[str]:
    """Return why records with these ids are not the lot of the plan, as it was or with the sample's faults mended."""
    plan, ids = looked.plan, set(ids)
    verdicts = looked.verdicts.values()
    former = {one.edited_id: one.id for one in verdicts if one.edited_id}
    gone = {one.id for one in verdicts if one.decision == "reject"}
    mended = {former.get(one, one) for one in ids} | gone
    lot = next((one for one in (ids, mended) if ids_digest(one) == plan.population.ids_sha256), None)
    if lot is None:
        return [f"these are not the records that plan {plan.sha256[:8]} is about"]
    if not plan.strata and draw_ids(lot, plan) != plan.drawn:
        return [f"seed {plan.seed} draws other records than plan {plan.sha256[:8]} names"]
    return []


def _not_the_lot(step: StepDirectory, looked: Looked) -> list[str]:
    if not is_about(looked.plan, step):
        lot, here = looked.plan.population.records_sha256, step.records_file.sha256
        return [f"plan {looked.plan.sha256[:8]} is about records {lot[:8]}, not {here[:8]}"]
    return other_lot((one.id for one in step.records()), looked)


def _not_passed(looked: Looked) -> list[str]:
    found, plan = looked.acceptance, looked.plan
    if found.outcome == "open":
        return [f"{found.undecided:,} of the {plan.n:,} drawn records are undecided"]
    if found.outcome == "failed":
        return [f"{defects_words(found.defects)} in {found.reviewed:,} records; {_wanted(plan, found.reviewed)}"]
    return []


def _wanted(plan: Plan, reviewed: int) -> str:
    """Return what a plan asks for that was not found."""
    if plan.method == "fixed":
        return f"the plan allows {plan.c}"
    if reviewed >= plan.population.rows:
        return f"every record was looked at, and at most {at_most(plan.limit)} of them may be defective"
    return f"that is not evidence enough that at most {at_most(plan.limit)} of the lot are defective"


def check_gate(
    path: Path, *, plan: Path | None = None, decisions: Path | None = None, second: Path | None = None
) -> GateRecord:
    """Return whether an acceptance plan was passed on exactly the records of a step, or of a release.

    Raises:
        InputError: neither a step nor a release; or a release that claims something else than its evidence shows.
    """
    if read_manifest(path).stage == RELEASE:
        return _released(path)
    step = StepDirectory.open(path)
    return gate_of(step, look_beside(step, plan, decisions, second))


def _released(path: Path) -> GateRecord:
    """Verify a release, and judge its evidence again."""
    facts = open_release(path).release
    assert facts is not None  # open_release says so
    looked = read_evidence(path)
    if looked is None:
        return facts.gate
    ids = (one.id for one in known_in(path))
    again = record(looked, other_lot(ids, looked))
    if not _disowned(facts.gate, looked) and (again.state, again.sentence) != (facts.gate.state, facts.gate.sentence):
        raise InputError(place=path, field="gate", expected=again.sentence, found=facts.gate.sentence)
    return facts.gate


def _disowned(said: GateRecord, looked: Looked) -> bool:
    """Say whether a release says of its plan only that it is about other records, and so claims nothing by it.

    Of the step that the plan was held against, the ids alone came along: what else told the two lots apart is not here.
    """
    return said == record(looked, list(said.problems)) and bool(said.problems)
