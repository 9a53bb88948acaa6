"""Different answers to one question: first in the hunt, side by side, and settled in one stroke."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser

from curation.cli import main
from curation.filters.survey import Survey
from curation.pipeline import run_stage
from curation.review.conflicts import conflict_of, open_conflicts
from curation.review.desk import Desk
from curation.review.events import Event
from curation.review.evidence import gather, why_first
from curation.review.opening import open_desk
from curation.review.queues import Seating
from curation.review.rows import Item
from curation.review.store import read_store, review_beside
from schemas.record import Reason, flagged
from schemas.step import StepDirectory
from tests.curation.review.served import served
from tests.curation.review.watched import serious, watched
from tests.hostile import HOSTILE
from tests.support import pair, step_of

CAPITAL = "What is the capital of Australia?"
RIGHT, AGAIN, WRONG = pair(CAPITAL, "Canberra."), pair(CAPITAL, "canberra"), pair(CAPITAL, "Sydney.")
STORIES = pair("Write a story.", "Once there was a king."), pair("Write a story.", "A dog ran home.")
DOUBTED = flagged(
    flagged(pair("Name a bird.", "Robin"), Reason(code="response_truncated", field="response")),
    Reason(code="response_too_short", field="response"),
)


def surveyed(folder: Path) -> StepDirectory:
    """Return the step that a survey of eight records makes."""
    step_of(folder / "1", [pair("Name a fish.", "Trout."), DOUBTED, RIGHT, AGAIN, WRONG, *STORIES])
    return run_stage(Survey(), folder / "1", folder / "2").step


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk at that step."""
    found = open_desk(surveyed(tmp_path), Seating())
    yield found
    found.store.close()
    found.rows.close()


def hunted(desk: Desk) -> list[Item]:
    """Return the hunt's rows in order."""
    return [desk.item(ticket) for ticket in desk.queue("hunt")]


def test_answers_that_exclude_each_other_come_first(desk: Desk) -> None:
    """Before a record with two flags of its own, and the screen says why; two stories weigh as little as a repair."""
    items = hunted(desk)

    assert {item.id for item in items[:3]} == {RIGHT.id, AGAIN.id, WRONG.id}
    assert why_first(items[0]) == "a contradiction, 1 flag"
    assert items[3].id == DOUBTED.id
    assert [why_first(item) for item in items[4:]] == ["a variation", "a variation", ""]


def test_what_a_later_step_dropped_disagrees_with_nobody(tmp_path: Path) -> None:
    """A conflict of which one answer is left is none."""
    step = surveyed(tmp_path)
    CliRunner().invoke(main, ["review", "decide", str(step.path), WRONG.id, "--as", "reject", "--reason", "unclear"])
    CliRunner().invoke(main, ["review", "apply", str(step.path), "-o", str(tmp_path / "3")], catch_exceptions=False)

    after = open_desk(StepDirectory.open(tmp_path / "3"), Seating())

    assert [one.kind for one in open_conflicts(after.rows)] == ["variation"]
    assert {item.conflict for item in hunted(after) if item.id in (RIGHT.id, AGAIN.id)} == {""}


def test_an_answer_stands_once_with_all_who_give_it(desk: Desk) -> None:
    """In other letters it is the same; the other is held against it word by word, and stands nowhere else."""
    item = next(one for one in hunted(desk) if one.id == RIGHT.id)

    found, evidence = conflict_of(item, desk.rows), gather(item, desk.rows, desk.chain)

    assert found is not None
    answers = {answer.ids: "".join(f"{piece.where}:{piece.text} " for piece in answer.diff) for answer in found.answers}
    assert answers == {tuple(sorted((RIGHT.id, AGAIN.id))): "", (WRONG.id,): "old:Canberra new:Sydney both:. "}
    assert evidence.rivals == ()


def test_only_what_a_survey_found_is_a_conflict(tmp_path: Path) -> None:
    """A step that no survey led to has none."""
    step = step_of(tmp_path / "1", [RIGHT, WRONG])

    assert list(open_conflicts(open_desk(step, Seating()).rows)) == []


def settled(step: StepDirectory) -> dict[str, Event]:
    """Return the acts about a step's rows."""
    return {event.row_id: event for event in read_store(review_beside(step.path)) if event.action != "undo"}


def test_keeping_one_answer_rejects_the_others_in_one_stroke(tmp_path: Path) -> None:
    """All who give it are accepted; one undo takes everything back."""
    step = surveyed(tmp_path)
    with served(step) as review:
        review.enter()
        desk = review.desk
        number = desk.number_of("hunt", next(item.sha256 for item in hunted(desk) if item.id == WRONG.id)) or 0
        item = desk.item(desk.queue("hunt")[number - 1])
        found = conflict_of(item, desk.rows)
        assert found is not None
        keep = next(answer.number for answer in found.answers if RIGHT.id in answer.ids)
        refused = [review.decide("hunt", number, keep="7"), review.decide("accept", 1, keep="1")]
        answer = review.decide("hunt", number, keep=str(keep), ms="900")
        acts = settled(step)
        done = desk.done("hunt")
        undone = review.ask("POST", "/undo", {})

        assert {one.status for one in refused} == {409}
        assert answer.status == 303
        assert {acts[one].action for one in (RIGHT.id, AGAIN.id)} == {"accept"}
        assert (acts[WRONG.id].action, acts[WRONG.id].reasons, acts[WRONG.id].ms) == ("reject", ("contradicted",), 900)
        assert len({one.batch for one in acts.values()}) == 1
        assert (done, desk.done("hunt")) == (3, 0)
        assert undone.headers["location"].startswith("/hunt/")


def test_conflicts_are_shown_and_settled_by_a_command(tmp_path: Path) -> None:
    """As lines, as JSON, and a record of no conflict is refused."""
    step = surveyed(tmp_path)

    def ran(*words: str) -> str:
        return CliRunner().invoke(main, ["review", "conflicts", str(step.path), *words], catch_exceptions=False).output

    said, listed = ran("-n", "1"), json.loads(ran("--json"))
    kept, refused = json.loads(ran("--keep", RIGHT.id, "--json")), ran("--keep", DOUBTED.id)

    assert said.splitlines()[0] == "2 questions are answered differently"
    assert f"  {WRONG.id}  Sydney." in said
    assert [one["kind"] for one in listed["conflicts"]] == ["contradiction", "variation"]
    assert kept["kept"] == RIGHT.id
    assert settled(step)[WRONG.id].action == "reject"
    assert "expected a record of a conflict" in refused


def test_one_key_settles_a_conflict(browser: Browser, tmp_path: Path) -> None:
    """Side by side in a real browser, hostile answers among them; a digit keeps one, `u` brings all back."""
    step_of(tmp_path / "1", [pair(CAPITAL, text) for text in HOSTILE[:3]])
    step = run_stage(Survey(flag_variations=True), tmp_path / "1", tmp_path / "2").step
    with served(step) as review, watched(browser, review) as seen:
        seen.press("h")
        seen.page.goto(f"http://127.0.0.1:{review.keys.port}/hunt/1")
        cards = seen.page.locator(".answer").count()
        faults = serious(seen.page)
        seen.press("2")
        done, heading = review.desk.done("hunt"), seen.heading()
        seen.press("u")

        assert (cards, done, heading) == (3, 3, "Nothing is left in this queue")
        assert review.desk.done("hunt") == 0
        assert seen.page.locator(".answer").count() == cards
        assert faults == []
        assert seen.said == []


def test_a_phone_shows_it_without_scrolling_sideways(browser: Browser, tmp_path: Path) -> None:
    """Answers stand one below the other, the menu takes one line, and no text shines through the buttons."""
    with (
        served(surveyed(tmp_path)) as review,
        watched(browser, review, viewport={"width": 390, "height": 844}) as seen,
    ):
        seen.page.goto(f"http://127.0.0.1:{review.keys.port}/hunt/1")
        wide = seen.page.evaluate("document.documentElement.scrollWidth")
        boxes = [one.bounding_box() for one in seen.page.locator(".answer").all()]
        menu = seen.page.locator(".top nav").bounding_box()
        bar = seen.page.evaluate("getComputedStyle(document.querySelector('.actions')).backgroundColor")

        assert wide <= 390
        assert len({box["x"] for box in boxes if box}) == 1
        assert menu is not None
        assert menu["height"] < 35
        assert bar.startswith("rgb(")
        assert seen.said == []
