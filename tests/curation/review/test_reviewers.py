"""Several people: a plan that is measured, a second look that is blind, disputes that are settled, spoilt records."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.review.agreement import agreed, disputed
from curation.review.board import Board
from curation.review.canaries import CANARIES, SPOILERS, plant
from curation.review.desk import Act, Desk
from curation.review.events import Event
from curation.review.exchange import export_beside
from curation.review.opening import open_desk
from curation.review.plan import Wanted
from curation.review.plan_file import plan_beside
from curation.review.planning import fix_plan, look
from curation.review.queues import Seating
from curation.review.resolve import decisions_in, resolve
from curation.review.second import balanced
from curation.review.since import read_since
from curation.review.standing import standing
from schemas.errors import InputError
from schemas.outcome import Outcome, reject
from schemas.record import Reason
from schemas.step import StepDirectory
from tests.curation.review.served import served
from tests.support import pair, step_of

WRONG = Act(action="reject", reasons=("wrong_answer",))
FINE = Act(action="accept")


def made(tmp_path: Path, n: int = 12) -> StepDirectory:
    """Return a step of n records with answers of some length."""
    kept = [pair(f"Name colour {at}.", f"The colour that was asked for is called blue number {at}.") for at in range(n)]
    return step_of(tmp_path / "1", kept)


@contextmanager
def seated(step: StepDirectory, **seating: object) -> Iterator[Desk]:
    """Sit down at a step."""
    desk = open_desk(step, Seating(**seating))  # type: ignore[arg-type]  # passed through
    try:
        yield desk
    finally:
        desk.store.close()
        desk.rows.close()


def decide(desk: Desk, queue: str, *acts: Act) -> None:
    """Decide about the first rows of a queue."""
    for ticket, act in zip(desk.queue(queue), acts, strict=False):  # type: ignore[arg-type]  # one of the queues
        desk.decide(queue, desk.item(ticket), act)  # type: ignore[arg-type]  # the same


def test_what_a_plan_drew_is_what_is_measured(tmp_path: Path) -> None:
    """In its order, counted for it alone, and the gate opens when enough were found good."""
    step = made(tmp_path)
    plan, _ = fix_plan(step, Wanted(limit=0.3, c=0))
    with seated(step) as desk:
        assert [desk.item(ticket).id for ticket in desk.queue("accept")] == list(plan.drawn)
        decide(desk, "hunt", WRONG, WRONG)
        before = look(plan_beside(step.path)).acceptance
        decide(desk, "accept", *[FINE] * plan.n)
        after = look(plan_beside(step.path)).acceptance

    assert (before.outcome, before.reviewed) == ("open", 0)
    assert (after.outcome, after.reviewed, after.defects) == ("passed", plan.n, 0)


def test_what_was_accepted_before_the_plan_is_asked_again(tmp_path: Path) -> None:
    """Under none or under an earlier one: screens and status count as the gate does; a canary was seen once for all."""
    step = made(tmp_path)
    with seated(step, n=12) as desk:
        desk.draw(CANARIES, plant(desk.rows, desk.board, 2, 1), 1)
        decide(desk, "accept", *[FINE] * 14)
        assert desk.next_open("accept") is None
        told = []
        for limit in (0.3, 0.4):
            plan, _ = fix_plan(step, Wanted(limit=limit, c=0))
            desk.refresh()
            told.append((desk.done("accept"), accepted_in(desk)))
            assert look(plan_beside(step.path)).acceptance.undecided == plan.n
            for _ in range(plan.n):
                number = desk.next_open("accept")
                assert number is not None
                desk.decide("accept", desk.item(desk.queue("accept")[number - 1]), FINE)
            told.append((desk.done("accept") - plan.n, accepted_in(desk) - plan.n))
            assert desk.next_open("accept") is None
            assert look(plan_beside(step.path)).acceptance.outcome == "passed"

    assert told == [(2, 2)] * 4


def accepted_in(desk: Desk) -> int:
    """Return how many acceptances of the accept queue `review status` tells of."""
    return next(one for one in standing(desk) if one.queue == "accept").actions.get("accept", 0)


def test_a_row_that_is_asked_again_does_not_say_how_it_was_answered(tmp_path: Path) -> None:
    """It is measured as if nobody had seen it."""
    step = made(tmp_path)
    with served(step, Seating(n=12)) as review:
        review.enter()
        for number in range(1, 13):
            review.decide("accept", number, action="accept")
        fix_plan(step, Wanted(limit=0.3, c=0))
        page = review.ask("GET", "/accept/1").text
        going = review.ask("GET", "/accept").headers["location"]

    assert "You accepted" not in page
    assert going == "/accept/1"


def test_exported_decisions_open_the_same_gate(tmp_path: Path) -> None:
    """The plan and the file are enough; a defect closes it."""
    step = made(tmp_path)
    plan, _ = fix_plan(step, Wanted(limit=0.3, c=0))
    with seated(step) as desk:
        decide(desk, "accept", WRONG, *[FINE] * plan.n)
    file = export_beside(step.path)

    found = look(plan_beside(step.path), file).acceptance

    assert (found.outcome, found.defects, dict(found.reasons)) == ("failed", 1, {"wrong_answer": 1})


def test_a_plan_about_other_records_is_not_measured(tmp_path: Path) -> None:
    """Then nothing that is found bounds anything, and the screen says so."""
    fix_plan(made(tmp_path), Wanted(limit=0.3, c=0))
    (tmp_path / "1").rename(tmp_path / "old")
    step = made(tmp_path, 14)

    with seated(step, n=5) as desk:
        assert (desk.seating.plan, len(desk.queue("accept"))) == ("", 5)


def test_a_second_reviewer_sees_what_the_first_decided_about_but_not_what(tmp_path: Path) -> None:
    """Half of it at fault; nothing on any screen tells which half; the agreement stays closed until the end."""
    step = made(tmp_path)
    with seated(step, reviewer="anna") as anna:
        decide(anna, "hunt", *[WRONG] * 3, *[FINE] * 9)
    with served(step, Seating(reviewer="ben", second=6)) as ben:
        ben.enter()
        faults = {event.row_sha256 for event in ben.desk.board.standing() if event.action == "reject"}
        drawn = [ticket.sha256 for ticket in ben.desk.queue("second")]
        pages = [ben.ask("GET", f"/{path}").text for path in ("", "second/1", "explore")]
        closed = ben.ask("GET", "/agreement").status
        for number in range(1, 7):
            ben.decide("second", number, action="accept")
            pages.append(ben.ask("GET", "/").text)
        opened = ben.ask("GET", "/agreement")

    assert len(drawn) == len(set(drawn)) == 6
    assert len(faults & set(drawn)) == 3
    assert not any("anna" in page or "disputed" in page for page in pages)
    assert not any("Adjudicate" in page for page in pages[:-1])
    assert (closed, opened.status) == (409, 200)
    assert "3 records are disputed" in opened.text


def test_what_is_drawn_for_a_second_look_stays_drawn(tmp_path: Path) -> None:
    """More is added when more is wanted and there."""
    step = made(tmp_path)
    with seated(step, reviewer="anna") as anna:
        decide(anna, "hunt", *[FINE] * 4)
    with seated(step, reviewer="ben", second=6) as ben:
        first = [ticket.sha256 for ticket in ben.queue("second")]
    with seated(step, reviewer="anna") as anna:
        decide(anna, "hunt", *[FINE] * 12)
    with seated(step, reviewer="ben", second=6) as ben:
        again = [ticket.sha256 for ticket in ben.queue("second")]

    assert (len(first), len(again), again[:4]) == (4, 6, first)


def test_nobody_is_their_own_second_reviewer(tmp_path: Path) -> None:
    """Said at once."""
    step = made(tmp_path)
    with seated(step, reviewer="anna") as anna:
        decide(anna, "hunt", FINE)

    with pytest.raises(InputError, match="--second: expected decisions of another reviewer"):
        open_desk(step, Seating(reviewer="anna", second=6))


@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 30))
def test_half_of_a_second_look_is_at_fault_as_far_as_there_is_so_much(doubted: int, plain: int, n: int) -> None:
    """And it is as long as it can be."""
    found = balanced([f"d{at}" for at in range(doubted)], [f"p{at}" for at in range(plain)], n)

    faults = sum(name.startswith("d") for name in found)
    assert len(found) == len(set(found)) == min(n, doubted + plain)
    assert faults >= min(doubted, n // 2)
    assert len(found) - faults >= min(plain, n - n // 2) or faults == doubted


def test_disputes_are_settled_with_both_decisions_in_view(tmp_path: Path) -> None:
    """Until then nothing is done about the record."""
    step = made(tmp_path)
    with seated(step, reviewer="anna") as anna:
        decide(anna, "hunt", *[WRONG] * 2, *[FINE] * 2)
    with seated(step, reviewer="ben", second=4) as ben:
        decide(ben, "second", *[FINE] * 4)
        assert len(disputed(ben.board)) == 2
    undecided = [one for one in decisions_in(export_beside(step.path)) if not one.decision]
    with served(step, Seating(reviewer="cleo")) as cleo:
        cleo.enter()
        page = cleo.ask("GET", "/adjudicate/1").text
        cleo.decide("adjudicate", 1, reason="wrong_answer")
        cleo.decide("adjudicate", 2, action="accept")
        found = agreed(cleo.desk.board)
    after = decisions_in(export_beside(step.path))

    assert "anna" in page
    assert "ben" in page
    assert len(undecided) == 2
    assert sorted(one.decision for one in after) == ["accept", "accept", "accept", "reject"]
    assert (found.table.first_only, found.table.both_accept, found.settled) == (2, 2, 2)
    assert found.kappa == 0.0


GREEN, RED = (Act(action="edit", texts={"response": f"The colour is {name}."}) for name in ("green", "red"))


@pytest.mark.parametrize("queue", ["hunt", "accept", "drops"])
@pytest.mark.parametrize("other", [FINE, GREEN, RED])
def test_whatever_would_not_come_to_the_same_is_disputed(tmp_path: Path, queue: str, other: Act) -> None:
    """Two people in one queue, two faults that are not one: what is left undecided waits to be settled."""
    if queue == "drops":
        other = FINE
    rows: list[Outcome] = [pair("Name a colour.", "Blue."), reject(pair("Sing"), Reason(code="instruction_too_short"))]
    step = step_of(tmp_path / "1", rows)
    with seated(step, reviewer="anna") as anna, seated(step, reviewer="ben") as ben:
        decide(anna, queue, GREEN if other is RED else WRONG)
        decide(ben, queue, other)
        anna.refresh()
        undecided = [one.id for one in decisions_in(export_beside(step.path)) if not one.decision]
        waiting = [anna.item(ticket).id for ticket in anna.queue("adjudicate")]
        found = agreed(anna.board)

    assert len(undecided) == 1
    assert waiting == undecided
    assert (found.disputed, found.settled, found.table.total) == (1, 0, 0)


PEOPLE = ("anna", "ben", "cleo")
ACTS = st.tuples(
    st.sampled_from(PEOPLE),
    st.sampled_from(["hunt", "accept", "second", "adjudicate"]),
    st.integers(0, 1),
    st.sampled_from([FINE, WRONG, GREEN, RED, Act(action="flag")]),
)


@given(st.lists(ACTS, max_size=12))
def test_nothing_stays_undecided_that_nobody_is_asked_about(acts: list[tuple[str, str, int, Act]]) -> None:
    """Whoever decided what, where and when: the rows without a decision are those that wait to be settled."""
    events = [
        Event(
            event_id=f"{at:04}",
            at="",
            reviewer=who,
            queue=queue,  # type: ignore[arg-type]  # one of the queues
            action=act.action,
            texts={"instruction": "a", "context": "", "response": act.texts.get("response", "")} if act.texts else {},
            row_id=f"{row:016x}",
            row_sha256=f"{row:064x}",
        )
        for at, (who, queue, row, act) in enumerate(acts)
    ]

    undecided = {one.id for one in resolve(events) if not one.decision}

    assert {name[-16:] for name in disputed(Board.of(events))} == undecided


def test_corrections_that_differ_are_shown_word_by_word(tmp_path: Path) -> None:
    """Who settles them sees what each would have written."""
    step = made(tmp_path, 1)
    for who, act in (("anna", GREEN), ("ben", RED)):
        with seated(step, reviewer=who) as desk:
            decide(desk, "hunt", act)
    with served(step, Seating(reviewer="cleo")) as cleo:
        cleo.enter()
        page = cleo.ask("GET", "/adjudicate/1").text

    assert "<ins> green</ins>" in page
    assert "<ins> red</ins>" in page


def test_what_somebody_settled_is_not_asked_again(tmp_path: Path) -> None:
    """Whoever settled it can go back to it; to the others it is closed."""
    step = made(tmp_path, 3)
    with seated(step, reviewer="anna") as anna:
        decide(anna, "hunt", *[WRONG] * 3)
    with seated(step, reviewer="ben") as ben, seated(step, reviewer="cleo") as cleo:
        decide(ben, "hunt", *[FINE] * 3)
        cleo.refresh()
        decide(cleo, "adjudicate", FINE)
        ben.refresh()
        counts = [(len(desk.queue("adjudicate")), desk.done("adjudicate")) for desk in (ben, cleo)]
        cleo.undo()
        ben.refresh()

        assert counts == [(2, 0), (3, 1)]
        assert len(ben.queue("adjudicate")) == 3


def test_who_measures_after_somebody_else_is_told_nothing_before_the_end(tmp_path: Path) -> None:
    """The gate takes them for its second reviewer; who measured first, or does not measure, may settle meanwhile."""
    step = made(tmp_path)
    plan, _ = fix_plan(step, Wanted(limit=0.3, c=0))
    with seated(step, reviewer="anna") as anna:
        decide(anna, "accept", *[WRONG] * (plan.n - 1))
        with served(step, Seating(reviewer="ben")) as ben, seated(step, reviewer="cleo") as cleo:
            ben.enter()
            told = []
            for number in range(1, plan.n):
                told.append((len(ben.desk.queue("adjudicate")), ben.ask("GET", "/agreement").status))
                ben.decide("accept", number, action="accept")
            told.append((len(ben.desk.queue("adjudicate")), ben.ask("GET", "/agreement").status))
            for desk in (anna, cleo):
                desk.refresh()

            assert told == [(0, 200), *[(0, 409)] * (plan.n - 2), (plan.n - 1, 200)]
            assert [len(desk.queue("adjudicate")) for desk in (anna, cleo)] == [plan.n - 1] * 2


def test_canaries_measure_the_reviewer_and_nothing_else(tmp_path: Path) -> None:
    """They stand among what is measured, look like any record, and count only there."""
    step = made(tmp_path)
    plan, _ = fix_plan(step, Wanted(limit=0.3, c=0))
    with seated(step, reviewer="planter") as planter:
        planter.draw(CANARIES, plant(planter.rows, planter.board, 4, 1), 1)
    with served(step, Seating(reviewer="anna")) as anna:
        anna.enter()
        tickets = anna.desk.queue("accept")
        spoilt = [at for at, ticket in enumerate(tickets, 1) if ticket.canary]
        pages = [anna.ask("GET", f"/accept/{at}") for at in range(1, len(tickets) + 1)]
        for at in range(1, len(tickets) + 1):
            anna.decide("accept", at, **({"reason": "wrong_answer"} if at in spoilt[:3] else {"action": "accept"}))
        (sharp,) = agreed(anna.desk.board).canaries
    outcome = look(plan_beside(step.path)).acceptance

    assert len(spoilt) == 4
    assert {page.status for page in pages} == {200}
    assert (sharp.reviewer, sharp.shown, sharp.caught) == ("anna", 4, 3)
    assert sharp.low < 0.75 < sharp.high
    assert (outcome.outcome, outcome.defects) == ("passed", 0)
    assert len(decisions_in(export_beside(step.path))) == plan.n


def test_every_kind_of_canary_is_a_defect() -> None:
    """No spoiler returns the record as it was; where the defect would not show, there is none."""
    one, other = (
        pair("Name it.", "This is an answer of some length, that can be cut."),
        pair("Name that.", "Another one."),
    )

    for spoil in SPOILERS.values():
        spoilt = spoil(one, other)
        assert spoilt is not None
        assert spoilt.id not in (one.id, other.id)
    assert SPOILERS["cut"](other, one) is None
    assert SPOILERS["answered_elsewhere"](one, replace(other, response=one.response)) is None


def test_only_what_is_new_since_a_release_is_looked_at(tmp_path: Path) -> None:
    """What stood in it was answered for."""
    old, step = made(tmp_path / "old", 10), made(tmp_path)

    with seated(step, since=read_since(old.path, step)) as desk:
        found = {desk.item(ticket).id for ticket in desk.queue("hunt")}

    assert found == {record.id for record in step.records()} - {record.id for record in old.records()}
    assert len(found) == 2
