"""From a request to arms, tests and a budget: everything that can fail does so before a model is loaded."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from schemas.codec import write_record
from schemas.errors import InputError
from schemas.manifest import FileDigest, digest_file
from schemas.outcome import SILENT, Aside
from schemas.record import InstructionRecord
from training.answers.questions import read_held_out
from training.model.load import digest_base, find_base
from training.planning.plan import Plan, Request, make_plan
from training.prove.arms import CURATED, RAW, Arm, Pools, fixed, usual_arms
from training.prove.budget import Budget, budget_for
from training.prove.design import Design, Encode, ProveRequest, usual_contrasts
from training.prove.ladder import (
    as_facts,
    attribution_contrasts,
    ladder_contrasts,
    rungs,
    steps_between,
    undo,
)
from training.prove.noise import noise_design
from training.prove.overlap import Overlap, overlaps
from training.records.data import TrainingData, open_data
from training.records.encoding import Example

FEWEST_TESTS = 20
"""Test prompts below which no interval is worth showing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A comparison that can begin."""

    request: ProveRequest
    plan: Plan
    """Of the reference arm: the encoder, the device, the settings as they will be used."""
    design: Design
    budget: Budget
    tests: tuple[Example, ...]
    test_records: tuple[InstructionRecord, ...]
    test_file: FileDigest
    removed: tuple[Overlap, ...]
    """Test prompts that an arm has seen; they are not used."""
    too_long: int
    """Test prompts that the model cannot read whole; they are not used."""
    base: FileDigest

    @property
    def arms(self) -> Mapping[str, Arm]:
        """What is trained."""
        return self.design.arms

    @property
    def tests_bytes(self) -> bytes:
        """The test set as it is used, as a file."""
        return b"".join(map(write_record, self.test_records))


def prepare(request: ProveRequest, aside: Aside = SILENT) -> Prepared:
    """Read the data, draw up the arms, clean the test set, set the budget.

    Raises:
        InputError: data, base or test set cannot be used, or with `strict` the test set overlaps an arm.
    """
    data, base = open_data(request.raw), find_base(request.base, aside)
    wanted = replace(request.config, held_out_rows=0)
    plan = make_plan(
        Request(data=request.raw, base=request.base, out=request.out, config=wanted, preset=request.preset), data, base
    )
    design = _design(request, data, plan)
    records = _sample(read_held_out(request.test), request)
    removed = overlaps(records, design.seen)
    if removed and request.strict:
        raise InputError(place=request.test, expected="no prompt that an arm has seen", found=_some(removed))
    clean = [record for record in records if record.id not in removed]
    tests = {record.id: (record, example) for record, example in _pairs(plan, clean)}
    if len(tests) < FEWEST_TESTS:
        raise InputError(place=request.test, expected=f"at least {FEWEST_TESTS} test prompts", found=str(len(tests)))
    return Prepared(
        request=request,
        plan=plan,
        design=design,
        budget=budget_for(plan.config, plan.examples),
        tests=tuple(example for _, example in tests.values()),
        test_records=tuple(record for record, _ in tests.values()),
        test_file=_digest(request.test),
        removed=tuple(removed.values()),
        too_long=len(clean) - len(tests),
        base=digest_base(base),
    )


def trainable(plan: Plan, records: Sequence[InstructionRecord]) -> list[Example]:
    """Return the records that can be trained on, as tokens; the others are too long, or have nothing to learn."""
    return [example for _, example in _pairs(plan, records)]


def _pairs(plan: Plan, records: Sequence[InstructionRecord]) -> list[tuple[InstructionRecord, Example]]:
    pairs = zip(records, plan.encoder.examples(records), strict=True)
    most = plan.config.max_tokens
    return [(one, example) for one, example in pairs if len(example.input_ids) <= most and one.response.strip()]


def _design(request: ProveRequest, data: TrainingData, plan: Plan) -> Design:
    def encode(records: Sequence[InstructionRecord]) -> list[Example]:
        return trainable(plan, records)

    if request.curated is None:
        return noise_design(data, request.noise, request.curate, request.out, encode)
    curated = open_data(request.curated)
    design = Design(
        arms=usual_arms(Pools(plan.examples, encode(curated.records)), request.controls),
        contrasts=usual_contrasts(request.controls),
        seen=_distinct(data.records, curated.records),
        inputs={RAW: data.files[0], CURATED: curated.files[0]},
    )
    return _with_steps(design, request, data, encode) if request.ladder or request.attribute else design


def _with_steps(design: Design, request: ProveRequest, data: TrainingData, encode: Encode) -> Design:
    """Add the arms that the steps between raw and curated make possible."""
    assert request.curated is not None
    steps = steps_between(request.raw, request.curated)
    between = rungs(steps) if request.ladder else {}
    undone = undo(request.attribute, data.records, steps) if request.attribute else ()
    sets = between | {f"without {one.code}": one.records for one in undone}
    contrasts = list(design.contrasts)
    contrasts += ladder_contrasts(list(between), steps[-1].path.name) if request.ladder else ()
    contrasts += attribution_contrasts(undone)
    return replace(
        design,
        arms={**design.arms, **{name: fixed(encode(records)) for name, records in sets.items()}},
        contrasts=tuple(contrasts),
        seen=_distinct(design.seen, *sets.values()),
        facts={"undone": as_facts(undone)} if undone else {},
    )


def _distinct(*sets: Sequence[InstructionRecord]) -> tuple[InstructionRecord, ...]:
    return tuple({record.id: record for records in sets for record in records}.values())


def _sample(records: Sequence[InstructionRecord], request: ProveRequest) -> Sequence[InstructionRecord]:
    """Return the test records that are used: distinct, and drawn by the seed where fewer are wanted."""
    records = _distinct(records)
    if not request.test_rows or request.test_rows >= len(records):
        return records
    draw = random.Random(f"test/{request.config.seed}")  # noqa: S311  # not a secret
    return [records[place] for place in sorted(draw.sample(range(len(records)), request.test_rows))]


def _digest(path: Path) -> FileDigest:
    return digest_file(path / "manifest.json" if path.is_dir() else path)


def _some(removed: Mapping[str, Overlap]) -> str:
    first = next(iter(removed.values()))
    return f"{len(removed)}, such as {first.id} ({first.rule}, {first.other})"
