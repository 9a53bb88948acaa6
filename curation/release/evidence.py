"""The proof of a review that travels with the release: the plan, every decision, and what follows from them.

    review/plan.json      fixed before the first look
    review/decisions.jsonl  review/second.jsonl  review/settled.jsonl
    review/acceptance.json  what follows

It names no reviewer and quotes no rejected text. Anybody who holds the release can compute the outcome again from the
plan and the decisions, and hold the plan against the records: `dolly-data release check` does.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import orjson

from curation.review.acceptance import Acceptance, Verdict
from curation.review.plan_file import plan_json, read_plan
from curation.review.planning import Looked, looked_at
from curation.review.verdicts import Said
from schemas.codec import adapter, canonical
from schemas.errors import InputError

PLAN, ACCEPTANCE = "review/plan.json", "review/acceptance.json"
ROUNDS = {"first": "review/decisions.jsonl", "second": "review/second.jsonl", "settled": "review/settled.jsonl"}
"""Round of decisions → its file; the first is always there."""


def evidence_files(looked: Looked | None) -> dict[str, bytes]:
    """Return the files by name; none where nobody planned anything."""
    if looked is None:
        return {}
    rounds = {name: verdict_lines(getattr(looked.said, one).values()) for one, name in ROUNDS.items()}
    return {
        PLAN: plan_json(looked.plan),
        ACCEPTANCE: acceptance_json(looked.acceptance),
        **{name: lines for name, lines in rounds.items() if lines or name == ROUNDS["first"]},
    }


def read_evidence(folder: Path) -> Looked | None:
    """Return the plan of a release and what was decided, judged anew; None where it has none.

    Raises:
        InputError: evidence that cannot be read, or that does not come to what it says it came to.
    """
    if not (folder / PLAN).is_file():
        return None
    plan = read_plan(folder / PLAN)
    first, second, settled = ({one.id: one for one in _read(folder / name)} for name in ROUNDS.values())
    looked = looked_at(plan, Said(first=first, second=second, settled=settled))
    _compare(folder / ACCEPTANCE, looked)
    return looked


def verdict_lines(verdicts: Iterable[Verdict]) -> bytes:
    """Return decisions in their one way of being written: sorted by id."""
    return b"".join(canonical(asdict(one)) + b"\n" for one in sorted(verdicts, key=lambda one: one.id))


def decisions_digest(looked: Looked) -> str:
    """Return the sha256 over all decisions as they stand in a release."""
    files = evidence_files(looked)
    return hashlib.sha256(b"".join(files.get(name, b"") for name in ROUNDS.values())).hexdigest()


def acceptance_json(acceptance: Acceptance) -> bytes:
    """Return what came of the plan, indented for people."""
    return orjson.dumps(asdict(acceptance), option=orjson.OPT_INDENT_2) + b"\n"


def _read(path: Path) -> Iterator[Verdict]:
    if not path.is_file():
        return
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            verdict: Verdict = adapter(Verdict).validate_json(line)
        except ValueError as error:
            raise InputError(
                place=f"{path}:{number}", expected="a decision", found=str(error).splitlines()[0]
            ) from error
        yield verdict


def _compare(path: Path, looked: Looked) -> None:
    """Refuse an acceptance.json that says something else than its decisions."""
    try:
        said: Acceptance = adapter(Acceptance).validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(place=path, expected="what came of the plan", found=str(error).splitlines()[0]) from error
    # The decisions hold neither the records' strata nor what was made of the canaries, which are never released.
    if replace(said, strata=(), canaries=0, caught=0) != looked.acceptance:
        raise InputError(
            place=path, expected=f"what decisions about plan {looked.plan.sha256[:8]} come to", found=said.sentence
        )
