"""What people decided, held against the plan: what counts, what passes, what may be claimed."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.review.acceptance import Verdict, at_most, attempt_of, judge, verdicts_of
from curation.review.decisions import Decision
from curation.review.plan import PRESETS, Plan, Population, Wanted, make_plan, size_of
from curation.review.statistics import sample_size, upper_bound
from schemas.errors import InputError
from tests.support import pair, step_of

LOT = Population(rows=14_812, records_sha256="ab12" * 16, ids_sha256="c" * 64)
DRAWN = tuple(f"{number:016x}" for number in range(386))
PLAN = Plan(
    population=LOT,
    n=386,
    c=3,
    limit=0.02,
    confidence=0.95,
    seed=20261122,
    severities=("critical", "major"),
    drawn=DRAWN,
)


def said(bad: int, of: int = 386, severity: str = "major") -> dict[str, Verdict]:
    """Return decisions about the first `of` drawn records, of which the first `bad` are rejected."""
    return {
        name: Verdict(id=name, decision="reject" if at < bad else "accept", severity=severity if at < bad else "")
        for at, name in enumerate(DRAWN[:of])
    }


def test_what_may_be_claimed_is_computed() -> None:
    """The sentence for the card, whole."""
    found = judge(PLAN, said(2))

    assert found.outcome == "passed"
    assert found.sentence == (
        "386 records drawn by seed 20261122 from 14,812 (records ab12ab12); 2 defects; defect rate at most 1.63 % "
        "(one-sided 95 %, Clopper-Pearson); the plan (386 records, at most 3 defects, limit 2 %) was fixed before "
        "review: PASSED; attempt 1 of 1."
    )


@pytest.mark.parametrize(
    ("bad", "of", "outcome"),
    [(0, 386, "passed"), (3, 386, "passed"), (4, 386, "failed"), (4, 9, "failed"), (0, 385, "open")],
)
def test_a_plan_is_passed_failed_or_open(bad: int, of: int, outcome: str) -> None:
    """Failed as soon as there are too many defects; passed only when all was looked at."""
    found = judge(PLAN, said(bad, of))

    assert (found.outcome, found.reviewed, found.defects, found.undecided) == (outcome, of, bad, 386 - of)


def test_severities_that_do_not_count_do_not_count() -> None:
    """A blemish is told and no defect; a rejection without a severity is one."""
    assert judge(PLAN, said(9, severity="minor")).outcome == "passed"
    assert judge(PLAN, said(9, severity="minor")).minor == 9
    assert judge(PLAN, said(9, severity="")).defects == 9
    assert judge(PLAN, said(2)).severities == {"major": 2}


def test_a_correction_is_a_defect() -> None:
    """What had to be corrected was wrong."""
    edits = {name: replace(one, decision="edit") for name, one in said(4).items() if one.decision == "reject"}

    assert judge(PLAN, said(0) | edits).outcome == "failed"


def test_one_of_two_people_in_doubt_is_a_defect() -> None:
    """And how far they agree is told."""
    second = {name: replace(one, decision="reject") for name, one in said(0, 60).items() if name in DRAWN[1:4]}
    second |= {name: one for name, one in said(0, 60).items() if name not in second}

    found = judge(PLAN, said(1), second)

    assert (found.defects, found.outcome) == (4, "failed")
    assert found.agreement is not None
    assert (found.agreement.first_only, found.agreement.second_only, found.agreement.both_accept) == (1, 3, 56)


@given(st.integers(0, 5), st.sampled_from([0.01, 0.02, 0.05]))
def test_a_plan_that_is_passed_keeps_its_limit(c: int, limit: float) -> None:
    """The bound after c defects in the plan's n is at most the limit."""
    n = sample_size(limit, 0.95, c)

    assert upper_bound(c, n, 0.95) <= limit < upper_bound(c, n - 1, 0.95)


def test_an_anytime_review_may_stop_when_the_evidence_suffices() -> None:
    """After 235 records without a defect, not after 234; and only what was looked at in order counts."""
    drawn = tuple(f"{number:016x}" for number in range(557))
    plan = replace(PLAN, method="anytime", n=557, drawn=drawn)
    words = {name: Verdict(id=name, decision="accept") for name in drawn}

    def first(n: int) -> dict[str, Verdict]:
        return {name: words[name] for name in drawn[:n]}

    assert [judge(plan, first(n)).outcome for n in (0, 234, 235)] == ["open", "open", "passed"]
    assert judge(plan, {name: one for name, one in words.items() if name != drawn[100]}).reviewed == 100
    assert judge(plan, first(235)).upper_bound <= 0.02


def whole(rows: int, bad: int, looked_at: int) -> tuple[str, float]:
    """Return what comes of an anytime plan that draws a whole lot of so many records, and the bound."""
    drawn = tuple(f"{number:016x}" for number in range(rows))
    plan = replace(PLAN, method="anytime", n=rows, drawn=drawn, population=replace(LOT, rows=rows))
    words = {
        name: Verdict(id=name, decision="reject" if at < bad else "accept") for at, name in enumerate(drawn[:looked_at])
    }
    found = judge(plan, words)
    return found.outcome, found.upper_bound


def test_of_a_lot_that_was_looked_at_whole_nothing_has_to_be_concluded() -> None:
    """It passes by what it holds: an anytime review of 100 records could never gather the evidence that 235 give."""
    assert [whole(100, bad, 100) for bad in (0, 2, 3)] == [("passed", 0.0), ("passed", 0.02), ("failed", 0.03)]
    assert whole(100, 0, 99)[0] == "open"
    assert [whole(500, 4, at)[0] for at in (100, 500)] == ["open", "passed"]
    assert [whole(500, 11, at)[0] for at in (100, 500)] == ["failed", "failed"]


@given(st.one_of(st.integers(880, 930), st.integers(3_700, 3_860), st.integers(1, 5_000)), st.sampled_from([*PRESETS]))
def test_whoever_passes_has_shown_what_the_plan_is_for(rows: int, preset: str) -> None:
    """Whatever the size of the lot: the bound is taken of the distribution that the plan was sized by."""
    wanted = PRESETS[preset]
    n, c = size_of(wanted, rows)
    drawn = tuple(f"{number:016x}" for number in range(n))
    plan = replace(PLAN, n=n, c=c, limit=wanted.limit, drawn=drawn, population=replace(LOT, rows=rows))

    found = judge(
        plan, {name: Verdict(id=name, decision="reject" if at < c else "accept") for at, name in enumerate(drawn)}
    )

    assert found.outcome == "passed"
    assert found.upper_bound <= wanted.limit


def test_a_finite_lot_is_counted_as_it_is(tmp_path: Path) -> None:
    """And where all was looked at, the rate is known."""
    plan = make_plan(step_of(tmp_path / "step", [pair(f"Name colour {n}.") for n in range(12)]), Wanted(limit=0.2, c=1))
    words = {name: Verdict(id=name, decision="accept") for name in plan.drawn}

    assert judge(plan, words).method == "hypergeometric" if plan.n < 12 else "every record was looked at"
    assert judge(plan, words).upper_bound <= 0.2


def test_only_decisions_that_name_the_plan_count() -> None:
    """A record that was rejected while hunting says nothing about the others."""
    texts = {"instruction": "a", "context": "", "response": "b"}
    named = Decision(line=1, id=DRAWN[0], decision="accept", texts=texts, drawn={"plan": PLAN.sha256})
    hunted = Decision(line=2, id=DRAWN[1], decision="reject", texts=texts)
    undecided = replace(named, id=DRAWN[2], decision="")

    assert set(verdicts_of([named, hunted, undecided], PLAN)) == {DRAWN[0]}
    with pytest.raises(InputError, match="a record that the plan drew"):
        verdicts_of([replace(named, id="f" * 16)], PLAN)


def test_an_unfinished_plan_is_an_abandoned_attempt() -> None:
    """It is listed with what was seen."""
    attempt = attempt_of(PLAN, judge(PLAN, said(3, 100)))

    assert (attempt.outcome, attempt.reviewed, attempt.defects) == ("abandoned", 100, 3)
    assert "attempt 2 of 2" in judge(replace(PLAN, attempts=(attempt,)), said(0)).sentence


def test_a_bound_is_never_rounded_down() -> None:
    """0.016201 is not at most 1.62 %."""
    assert (at_most(0.016201), at_most(0.02), at_most(0.0162)) == ("1.63 %", "2 %", "1.62 %")
