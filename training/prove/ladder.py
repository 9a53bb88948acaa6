"""What each step, and each rule, bought: the steps between raw and curated one by one, and rules undone one by one.

Both read what the steps wrote down: records, rejections with their reasons, repairs with the old values.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from schemas.chain import walk
from schemas.codec import dumps, read_record
from schemas.errors import InputError
from schemas.record import InstructionRecord, Repair
from schemas.step import StepDirectory
from training.prove.arms import CURATED, RAW
from training.prove.design import Contrast

ALL = "all"
NOTABLE = 0.01
"""Share of raw's records that a code must have changed to be among `all`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """The curated set without the work of one reason code."""

    code: str
    records: tuple[InstructionRecord, ...]
    back: int
    """Records that had been rejected for this code alone."""
    unrepaired: int
    """Records whose repair was taken back, and with it later ones of the same field."""


def steps_between(raw: Path, curated: Path) -> tuple[StepDirectory, ...]:
    """Return the steps after `raw` that led to `curated`, curated's own among them, oldest first.

    Raises:
        InputError: the chain of digests does not lead from one to the other.
    """
    chain = walk(StepDirectory.open(curated))
    wanted = StepDirectory.open(raw).records_file.sha256
    for place, step in enumerate(chain.steps):
        found = step.manifest.output("records.jsonl")
        if found and found.sha256 == wanted and step is not chain.last:
            return chain.steps[place + 1 :]
    names = ", ".join(step.path.name for step in chain.steps)
    gap = f"; {chain.gap}" if chain.gap else ""
    raise InputError(place=curated, expected=f"steps that lead back to {raw}", found=f"{names}{gap}")


def rungs(steps: Sequence[StepDirectory]) -> dict[str, tuple[InstructionRecord, ...]]:
    """Return an arm for every step but the last, which is curated itself."""
    return {f"up to {step.path.name}": tuple(step.records()) for step in steps[:-1]}


def ladder_contrasts(names: Sequence[str], last: str) -> Iterator[Contrast]:
    """Yield each step against the one before it; `last` is the directory that wrote curated.

    Where it is the only step there is nothing to add: curated against raw is asked already.
    """
    if not names:
        return
    for before, after in pairwise((RAW, *names, CURATED)):
        step = last if after == CURATED else after.removeprefix("up to ")
        yield Contrast(arm=after, against=before, kind="exploratory", question=f"What did {step} buy?")


def undo(codes: Sequence[str], raw: Sequence[InstructionRecord], steps: Sequence[StepDirectory]) -> tuple[Undone, ...]:
    """Return the curated set without each code's work; the records it gives back were not seen by later steps.

    Raises:
        InputError: a code that rejected and repaired nothing.
    """
    curated = tuple(steps[-1].records())
    alone = _rejected_alone(steps, frozenset(name for one in curated for name in (one.id, *one.provenance.previous)))
    repaired = _repaired(curated, raw)
    changed = {code: len(alone.get(code, ())) + repaired[code] for code in sorted({*alone, *repaired})}
    if ALL in codes:
        codes = [code for code, count in changed.items() if count >= NOTABLE * len(raw)]
    if unknown := [code for code in codes if code not in changed]:
        raise InputError(field="attribute", expected=f"of {', '.join(changed) or 'nothing'}", found=", ".join(unknown))
    earlier = _repairs(raw)
    return tuple(_without(code, curated, alone.get(code, ()), earlier) for code in codes)


def attribution_contrasts(undone: Sequence[Undone]) -> Iterator[Contrast]:
    """Yield curated against itself without each rule: below 0 the rule helped."""
    for one in undone:
        question = f"What did {one.code} buy ({one.back:,} records rejected, {one.unrepaired:,} repaired)?"
        yield Contrast(arm=CURATED, against=f"without {one.code}", kind="exploratory", question=question)


def unrepaired(record: InstructionRecord, code: str, earlier: frozenset[Repair]) -> InstructionRecord:
    """Return the record before all repairs of this code but `earlier` ones, later repairs of the same fields undone."""
    before: dict[str, str] = {}
    kept = []
    for repair in record.repairs:
        if repair.code == code and repair not in earlier:
            before.setdefault(repair.field, repair.old)
        elif repair.field not in before:
            kept.append(repair)
    return replace(record, **before, repairs=tuple(kept))  # type: ignore[arg-type]  # text fields


def _rejected_alone(steps: Sequence[StepDirectory], curated: frozenset[str]) -> dict[str, list[InstructionRecord]]:
    """Return the records that one code alone rejected, by code; what was restored is as it was left at last.

    `curated`: ids of the curated records, and those that they had before they were edited.
    """
    last: dict[str, tuple[InstructionRecord, frozenset[str]]] = {}
    for step in steps:
        for rejection in step.rejections():
            with suppress(InputError):  # a row that never was a record is none of raw's
                record = read_record(dumps(rejection.row))
                last[record.id] = record, frozenset(reason.code for reason in rejection.reasons)
    found: dict[str, list[InstructionRecord]] = {}
    for record, codes in last.values():
        if len(codes) == 1 and record.id not in curated:
            found.setdefault(min(codes), []).append(record)
    return found


def _repaired(curated: Sequence[InstructionRecord], raw: Sequence[InstructionRecord]) -> Counter[str]:
    """Count the records that carry a repair of each code which raw does not carry."""
    before = _repairs(raw)
    return Counter(code for record in curated for code in {one.code for one in record.repairs if one not in before})


def _repairs(records: Sequence[InstructionRecord]) -> frozenset[Repair]:
    return frozenset(repair for record in records for repair in record.repairs)


def _without(
    code: str,
    curated: Sequence[InstructionRecord],
    back: Sequence[InstructionRecord],
    earlier: frozenset[Repair],
) -> Undone:
    records = [unrepaired(record, code, earlier) for record in curated]
    count = sum(len(one.repairs) < len(record.repairs) for one, record in zip(records, curated, strict=True))
    return Undone(code=code, records=(*records, *back), back=len(back), unrepaired=count)


def as_facts(undone: Sequence[Undone]) -> list[Mapping[str, int | str]]:
    """Return what each rule had done, for the result."""
    return [{"code": one.code, "rejected": one.back, "repaired": one.unrepaired} for one in undone]
