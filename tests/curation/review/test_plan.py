"""A plan is fixed and hashed before anybody looks: what it draws, what it allows, what may follow a failure."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.review.plan import (
    PRESETS,
    Attempt,
    Wanted,
    allocate,
    ids_digest,
    make_plan,
    size_of,
)
from curation.review.plan_file import plan_beside, plan_json, read_plan
from curation.review.planning import fix_plan
from schemas.errors import InputError
from schemas.record import InstructionRecord
from schemas.step import StepDirectory
from tests.support import pair, step_of


def many(n: int, category: str = "") -> list[InstructionRecord]:
    """Return different records."""
    return [pair(f"Name colour {number}.", category=category) for number in range(n)]


def lot(tmp_path: Path, n: int = 700, name: str = "step") -> StepDirectory:
    """Return a step of so many records."""
    return step_of(tmp_path / name, many(n))


def failed(plan_seed: int = 1, records: str = "f" * 64) -> Attempt:
    """Return an attempt that failed."""
    return Attempt(
        plan_sha256="a" * 64,
        records_sha256=records,
        rows=700,
        seed=plan_seed,
        n=386,
        c=3,
        limit=0.02,
        reviewed=50,
        defects=4,
        outcome="failed",
    )


def test_the_default_plan_and_the_first_pass() -> None:
    """386 records of which 3 may be bad; 93 of which 1 may be."""
    assert size_of(PRESETS["strict"], 52_002) == (386, 3)
    assert size_of(PRESETS["first-pass"], 52_002) == (93, 1)
    assert size_of(Wanted(method="anytime"), 52_002) == (557, 3)


def test_a_small_lot_needs_fewer_records() -> None:
    """Counted without replacement; of a lot smaller than the sample nearly all are looked at, and fewer may be bad."""
    n, c = size_of(Wanted(), 1500)

    assert (300 < n < 386, c) == (True, 3)
    assert size_of(Wanted(), 120) == (118, 2)
    assert size_of(Wanted(), 10) == (10, 0)


def test_a_plan_names_its_lot_and_its_records(tmp_path: Path) -> None:
    """By the bytes, by the ids, and each drawn record; on disk it is the same."""
    step = lot(tmp_path)

    plan = make_plan(step, Wanted(limit=0.05, c=1))

    assert plan.population.records_sha256 == step.records_file.sha256
    assert plan.population.ids_sha256 == ids_digest(one.id for one in step.records())
    assert (plan.population.rows, len(set(plan.drawn))) == (700, plan.n)
    (tmp_path / "plan.json").write_bytes(plan_json(plan))
    assert read_plan(tmp_path / "plan.json") == plan


@pytest.mark.parametrize("field", ["n", "c", "seed", "limit"])
def test_a_changed_plan_is_found(tmp_path: Path, field: str) -> None:
    """Its hash is over all of it."""
    row = json.loads(plan_json(make_plan(lot(tmp_path), Wanted())))
    (tmp_path / "plan.json").write_text(json.dumps({**row, field: row[field] * 2}))

    with pytest.raises(InputError, match="the plan was changed"):
        read_plan(tmp_path / "plan.json")


def test_nobody_chose_the_seed(tmp_path: Path) -> None:
    """The records decide; the same ones in another order draw the same sample."""
    one = make_plan(lot(tmp_path), Wanted())
    other = make_plan(step_of(tmp_path / "other", many(700)[::-1]), Wanted())
    more = make_plan(lot(tmp_path, 701, "more"), Wanted())

    assert (one.seed, one.drawn) == (other.seed, other.drawn)
    assert more.seed != one.seed


def test_a_sample_is_drawn_from_each_stratum_in_proportion(tmp_path: Path) -> None:
    """To the record."""
    step = step_of(
        tmp_path / "step", [*many(600, category="a"), *(pair(f"Add {n}.", category="b") for n in range(400))]
    )

    plan = make_plan(step, Wanted(strata="category", limit=0.05, c=1))

    category = {one.id: one.category for one in step.records()}
    assert plan.stratum_rows == {"a": 600, "b": 400}
    assert plan.allocation == dict(Counter(category[name] for name in plan.drawn)) == {"a": 56, "b": 37}


@given(st.dictionaries(st.text(max_size=3), st.integers(1, 500), min_size=1, max_size=8), st.integers(0, 400))
def test_an_allocation_adds_up(sizes: dict[str, int], n: int) -> None:
    """No stratum gives more than it has, and none is off its share by a whole record."""
    shares = allocate(sizes, n)

    n = min(n, sum(sizes.values()))
    assert sum(shares.values()) == n
    for name, size in sizes.items():
        assert shares[name] <= size
        assert abs(shares[name] - n * size / sum(sizes.values())) < 1


def test_after_a_failure_come_other_records_and_another_seed(tmp_path: Path) -> None:
    """A second draw from the same lot measures luck."""
    step = lot(tmp_path)

    with pytest.raises(InputError, match="others than those that failed"):
        make_plan(step, Wanted(), (failed(records=step.records_file.sha256),))
    with pytest.raises(InputError, match="another than in an earlier attempt"):
        make_plan(step, Wanted(seed=1), (failed(),))
    assert make_plan(step, Wanted(), (failed(),)).number == 2


def test_a_plan_stands_once_it_is_fixed(tmp_path: Path) -> None:
    """Asked again, it is the same; another one lists it as an attempt, and its sample is kept."""
    step = lot(tmp_path)
    first, stood = fix_plan(step, Wanted())
    again, reused = fix_plan(step, Wanted())

    second, _ = fix_plan(step, Wanted(limit=0.05, c=1))

    assert (stood, reused, again) == (False, True, first)
    assert [(one.plan_sha256, one.outcome, one.reviewed) for one in second.attempts] == [(first.sha256, "abandoned", 0)]
    assert second.seed != first.seed
    names = {path.name for path in plan_beside(step.path).parent.iterdir()}
    assert names == {"plan.json", "sample.jsonl", "attempt-1-plan.json", "attempt-1-sample.jsonl"}


def test_what_a_killed_run_did_not_write_is_written(tmp_path: Path) -> None:
    """A plan without its drawn records gets them; records that were decided on stay."""
    step = lot(tmp_path)
    plan, _ = fix_plan(step, Wanted())
    sample = plan_beside(step.path).with_name("sample.jsonl")
    drawn = sample.read_bytes()
    sample.unlink()
    assert fix_plan(step, Wanted()) == (plan, True)
    assert sample.read_bytes() == drawn
    sample.write_bytes(b"decided")
    fix_plan(step, Wanted())
    assert sample.read_bytes() == b"decided"


def test_drawn_records_without_their_plan_are_not_written_over(tmp_path: Path) -> None:
    """They may hold decisions; nothing is written, and the message says what to do."""
    step = lot(tmp_path)
    fix_plan(step, Wanted())
    plan_beside(step.path).unlink()
    with pytest.raises(InputError, match=r"sample.jsonl: expected the plan.json .* move the sample away"):
        fix_plan(step, Wanted(limit=0.05, c=1))
    assert not plan_beside(step.path).exists()


def test_the_sample_is_blind_to_what_checks_said(tmp_path: Path) -> None:
    """Whoever sees a score judges the score."""
    step = lot(tmp_path)
    plan, _ = fix_plan(step, Wanted())

    lines = [json.loads(line) for line in plan_beside(step.path).with_name("sample.jsonl").read_text().splitlines()]

    assert [line["id"] for line in lines] == list(plan.drawn)
    assert {key for line in lines for key in line} == {
        *("id", "instruction", "context", "response", "category"),
        *("decision", "severity", "note", "drawn"),
    }


@pytest.mark.parametrize(
    "changes",
    [{"limit": 0.0}, {"limit": 1.0}, {"confidence": 1.0}, {"c": -1}, {"method": "anytime", "strata": "model"}],
)
def test_a_plan_that_cannot_be_meant_is_refused(changes: dict[str, object]) -> None:
    """With the setting's name."""
    with pytest.raises(InputError):
        replace(Wanted(), **changes)  # type: ignore[arg-type]  # wrong on purpose


def test_nothing_to_draw_is_refused(tmp_path: Path) -> None:
    """An empty lot is a mistake."""
    with pytest.raises(InputError, match="at least one record"):
        make_plan(step_of(tmp_path / "step", []), Wanted())
