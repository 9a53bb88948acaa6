"""The proof of a review that travels with the release: the plan, every decision, and what follows from them.

    review/plan.json  review/decisions.jsonl  review/second.jsonl  review/acceptance.json

It names no reviewer and quotes no rejected text. Anybody who holds the release can compute the outcome again from the
plan and the decisions, and hold the plan against the records: `dolly-data release check` does.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path

import orjson

from curation.review.acceptance import Acceptance, Verdict, judge
from curation.review.plan import Plan, plan_json, read_plan
from curation.review.planning import Looked
from schemas.codec import adapter, canonical
from schemas.errors import InputError

PLAN, DECISIONS, SECOND, ACCEPTANCE = (
    f"review/{name}" for name in ("plan.json", "decisions.jsonl", "second.jsonl", "acceptance.json")
)


def evidence_files(looked: Looked | None) -> dict[str, bytes]:
    """Return the files by name; none where nobody planned anything."""
    if looked is None:
        return {}
    files = {
        PLAN: plan_json(looked.plan),
        DECISIONS: verdict_lines(looked.verdicts.values()),
        ACCEPTANCE: acceptance_json(looked.acceptance),
    }
    return files | ({SECOND: verdict_lines(looked.second.values())} if looked.second else {})


def read_evidence(folder: Path) -> Looked | None:
    """Return the plan of a release and what was decided, judged anew; None where it has none.

    Raises:
        InputError: evidence that cannot be read, or that does not come to what it says it came to.
    """
    if not (folder / PLAN).is_file():
        return None
    plan = read_plan(folder / PLAN)
    first = {one.id: one for one in _read(folder / DECISIONS)}
    second = {one.id: one for one in _read(folder / SECOND)} if (folder / SECOND).is_file() else {}
    found = judge(plan, first, second)
    _compare(folder / ACCEPTANCE, plan, found)
    return Looked(plan=plan, verdicts=first, second=second, acceptance=found)


def verdict_lines(verdicts: Iterable[Verdict]) -> bytes:
    """Return decisions in their one way of being written: sorted by id."""
    return b"".join(canonical(asdict(one)) + b"\n" for one in sorted(verdicts, key=lambda one: one.id))


def decisions_digest(verdicts: Mapping[str, Verdict]) -> str:
    """Return the sha256 of the decisions as they stand in a release."""
    return hashlib.sha256(verdict_lines(verdicts.values())).hexdigest()


def acceptance_json(acceptance: Acceptance) -> bytes:
    """Return what came of the plan, indented for people."""
    return orjson.dumps(asdict(acceptance), option=orjson.OPT_INDENT_2) + b"\n"


def _read(path: Path) -> Iterator[Verdict]:
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            verdict: Verdict = adapter(Verdict).validate_json(line)
        except ValueError as error:
            raise InputError(
                place=f"{path}:{number}", expected="a decision", found=str(error).splitlines()[0]
            ) from error
        yield verdict


def _compare(path: Path, plan: Plan, found: Acceptance) -> None:
    """Refuse an acceptance.json that says something else than its decisions."""
    try:
        said: Acceptance = adapter(Acceptance).validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(place=path, expected="what came of the plan", found=str(error).splitlines()[0]) from error
    # What was found in each stratum needs the records' strata, which the decisions do not hold.
    if replace(said, strata=()) != found:
        raise InputError(
            place=path, expected=f"what the decisions about plan {plan.sha256[:8]} come to", found=said.sentence
        )
