"""What the server answers, without a browser: who gets in, what a form does, what is on the disk afterwards."""

import json
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from curation.pipeline import run_source, run_stage
from curation.review.events import Queue
from curation.review.exchange import export_beside
from curation.review.index import ensure_index
from curation.review.plan import Wanted
from curation.review.plan_file import plan_beside
from curation.review.planning import fix_plan
from curation.review.queues import Seating
from curation.review.rows import Rows
from curation.review.stage import Review
from curation.review.store import read_store, review_beside
from curation.review.web.guard import HEADERS
from curation.review.web.serve import Address
from curation.sources import Validate
from schemas.chain import walk
from schemas.errors import InputError
from schemas.outcome import reject
from schemas.record import Reason, flagged
from schemas.step import StepDirectory
from tests.curation.review.served import Served, served
from tests.hostile import HOSTILE, Seen
from tests.support import pair, step_of

UNFINISHED = Reason(code="response_unfinished", field="response", found="Blue 3", limit="a full stop", span=(0, 4))
BOTH: tuple[Queue, ...] = ("hunt", "accept")
SHORT = Reason(code="instruction_too_short", field="instruction", found="1 word", limit="2 words")


def made(tmp_path: Path, n: int = 6) -> StepDirectory:
    """Return a step of n records, one of them flagged, and a rejected row."""
    kept = [pair(f"Name colour {number}.", f"Blue {number}.") for number in range(n)]
    kept[3] = flagged(kept[3], UNFINISHED)
    return step_of(tmp_path / "1", [*kept, reject(pair("Sing"), SHORT)])


@pytest.fixture
def review(tmp_path: Path) -> Iterator[Served]:
    """A review that somebody has entered."""
    with served(made(tmp_path), Seating(n=4)) as running:
        running.enter()
        yield running


def test_the_token_opens_the_screens_once(tmp_path: Path) -> None:
    """It becomes a cookie that no script and no other site gets; a second use opens nothing."""
    with served(made(tmp_path)) as running:
        before = running.ask("GET", "/")
        opened = running.enter()
        stranger = Served(desk=running.desk, keys=running.keys).enter()
        inside = running.ask("GET", "/")

    assert before.status == stranger.status == 403
    assert (opened.status, opened.headers["location"]) == (303, "/")
    assert "HttpOnly" in opened.headers["set-cookie"]
    assert "SameSite=strict" in opened.headers["set-cookie"]
    assert inside.status == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "[", ""])
def test_another_name_for_this_machine_is_refused(review: Served, host: str) -> None:
    """A page elsewhere cannot point its own name at us."""
    assert review.ask("GET", "/", Host=host.format(port=review.keys.port)).status in (400, 421)


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "none"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
    ],
)
def test_a_form_of_another_page_changes_nothing(review: Served, headers: dict[str, str]) -> None:
    """Even with the cookie."""
    sha256 = review.desk.queue("hunt")[0].sha256

    answer = review.ask("POST", "/hunt/1", {"sha256": sha256, "action": "accept"}, **headers)

    assert answer.status == 403
    assert review.desk.store.events() == []


def test_a_file_that_there_is_not_says_nothing_about_the_review(tmp_path: Path) -> None:
    """Files are for anybody, and so are the answers about them."""
    with served(made(tmp_path)) as running:
        answers = [running.ask(method, "/static/none") for method in ("GET", "POST")]
        style = running.ask("GET", "/static/review.css")

    assert [(one.status, one.text) for one in answers] == [(404, "Not Found"), (405, "Method Not Allowed")]
    assert style.status == 200


def test_every_answer_says_what_a_browser_may_do(review: Served) -> None:
    """Also the refusals."""
    for answer in (review.ask("GET", "/hunt/1"), review.ask("GET", "/none"), review.ask("GET", "/", Host="x")):
        assert HEADERS.items() <= answer.headers.items()


def test_a_decision_is_on_disk_before_the_next_row_is_named(tmp_path: Path, review: Served) -> None:
    """With who, what, which text and how long."""
    answer = review.decide("hunt", 1, reason="wrong_answer", note="It is red.", ms="1200")

    (event,) = read_store(review_beside(tmp_path / "1"))
    assert (answer.status, answer.headers["location"]) == (303, "/hunt/2")
    assert (event.action, event.reasons, event.severity, event.note) == (
        "reject",
        ("wrong_answer",),
        "major",
        "It is red.",
    )
    assert (event.ms, event.reviewer, event.row_sha256) == (1200, "me", review.desk.queue("hunt")[0].sha256)
    assert event.shown_sha256


def test_the_worst_comes_first_and_says_why(review: Served) -> None:
    """The flag, its words, its place in the text."""
    page = review.ask("GET", "/hunt/1").text

    assert "Here because: 1 flag" in page
    assert "<mark>Blue</mark>" in page
    assert "found <bdi>Blue 3</bdi>" in page


def test_what_is_measured_is_shown_without_scores(review: Served) -> None:
    """No check, no neighbour, no origin, in no row of the queue."""
    for number in range(1, 5):
        page = review.ask("GET", f"/accept/{number}").text
        assert "<mark>" not in page
        assert "<aside" not in page


def test_undo_shows_the_row_again(review: Served) -> None:
    """And only the reviewer's own."""
    review.decide("hunt", 1, action="accept")
    review.decide("hunt", 2, action="accept")

    assert review.ask("POST", "/undo", {}).headers["location"] == "/hunt/2"
    assert review.ask("POST", "/undo", {}).headers["location"] == "/hunt/1"
    assert review.ask("POST", "/undo", {}).headers["location"] == "/"
    assert review.desk.done("hunt") == 0


def test_equal_records_are_looked_at_once(tmp_path: Path) -> None:
    """A decision is about the content, wherever it stands."""
    with served(step_of(tmp_path / "1", [pair(), pair(), pair("Another.")])) as running:
        assert [len(running.desk.queue(name)) for name in BOTH] == [2, 2]


def test_queues_are_counted_apart(review: Served) -> None:
    """A record accepted in the hunt is still to be measured."""
    for number in range(1, 7):
        review.decide("hunt", number, action="accept")

    assert (review.desk.done("hunt"), review.desk.done("accept")) == (6, 0)
    assert "Nothing is left" in review.ask("GET", "/hunt").text
    assert review.ask("GET", "/accept").status == 303


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"action": "accept", "sha256": "x"}, 409),
        ({"action": "drop"}, 400),
        ({"action": "undo"}, 400),
        ({"action": "reject"}, 400),
        ({"action": "reject", "reason": "because"}, 400),
        ({"action": "edit"}, 400),
        ({"action": "edit", "response": " "}, 400),
        ({}, 400),
    ],
)
def test_a_decision_that_cannot_be_meant_is_refused(review: Served, form: dict[str, str], status: int) -> None:
    """And nothing is written."""
    sha256 = review.desk.queue("hunt")[0].sha256

    answer = review.ask("POST", "/hunt/1", {"sha256": sha256, **form})

    assert answer.status == status
    assert review.desk.store.events() == []


def test_the_decisions_of_the_screens_become_a_step(tmp_path: Path, review: Served) -> None:
    """Rejected goes with its reason, edited carries the old text; a judged drop changes nothing."""
    first, second = (review.desk.item(ticket) for ticket in review.desk.queue("hunt")[:2])
    review.decide("hunt", 1, reason="wrong_answer")
    review.decide("hunt", 2, action="edit", response="Green.\r\nVery.")
    review.decide("drops", 1, action="reject")

    stage = Review(decisions=str(export_beside(tmp_path / "1")))
    after = run_stage(stage, tmp_path / "1", tmp_path / "2").step

    (gone,) = after.rejections()
    edited = next(record for record in after.records() if record.response == "Green.\nVery.")
    assert (gone.id, gone.reasons[0].found) == (first.id, "wrong_answer")
    assert (edited.provenance.previous, edited.repairs[-1].code) == ((second.id,), "reviewer_edited")
    assert after.manifest.counts.kept == 5


def test_fields_that_nobody_touched_keep_their_line_breaks(tmp_path: Path) -> None:
    """A form sends every field, and knows one line break; a corrected response is a correction of that alone."""
    record = pair("List\r\ntwo.", "One\r\ntwo.", context="a\rb\nc")
    with served(step_of(tmp_path / "1", [record])) as running:
        running.enter()
        same = {"instruction": "List\r\ntwo.", "context": "a\r\nb\r\nc"}
        nothing = running.decide("hunt", 1, action="edit", response="One\r\ntwo.", **same)
        spoilt = running.decide("hunt", 1, action="edit", response="Three.", **{**same, "context": "a\0b"})
        done = running.decide("hunt", 1, action="edit", response="One\r\nthree.", **same)
    after = run_stage(Review(decisions=str(export_beside(tmp_path / "1"))), tmp_path / "1", tmp_path / "2").step

    assert (nothing.status, spoilt.status, done.status) == (400, 400, 303)
    (edited,) = after.records()
    assert (edited.instruction, edited.context, edited.response) == ("List\r\ntwo.", "a\rb\nc", "One\nthree.")
    assert [one.field for one in edited.repairs] == ["response"]


def test_rows_that_are_no_unicode_or_have_an_id_of_their_own_can_be_looked_at(tmp_path: Path) -> None:
    """Among what was rejected, as they came."""
    rows = (
        {"instruction": "Half \ud83d.", "output": "x", "category": "\ud83d"},
        {"instruction": "", "context": "", "id": "7", "response": "x"},
    )
    (tmp_path / "rows.jsonl").write_text(
        "".join(f"{json.dumps(row)}\n" for row in (*rows, {"instruction": "a", "output": "b"}))
    )
    step = run_source(Validate(source=str(tmp_path / "rows.jsonl")), tmp_path / "1").step
    with served(step) as running:
        running.enter()
        pages = [running.ask("GET", f"/drops/{number}") for number in (1, 2)]
        decided = [running.decide("drops", number, action="accept").status for number in (1, 2)]

    assert [page.status for page in pages] == [200, 200]
    assert "Half" in "".join(page.text for page in pages)
    assert decided == [303, 303]


def open_at_once(path: str, barrier: Any) -> int:
    """Make the index of a step, or find it, and count its rows."""
    step = StepDirectory.open(Path(path))
    barrier.wait()
    rows = Rows(ensure_index(walk(step), step.path.with_suffix(".at-once")))
    return sum(rows.counts.values())


def test_reviewers_who_begin_at_once_share_an_index(tmp_path: Path) -> None:
    """One makes it, the others wait."""
    step = step_of(tmp_path / "1", [pair(f"Name colour {number}.", f"Blue {number}.") for number in range(1500)])
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, ProcessPoolExecutor(3, mp_context=context) as pool:
        barrier = manager.Barrier(3)
        found = [pool.submit(open_at_once, str(step.path), barrier) for _ in range(3)]
        assert [one.result() for one in found] == [1500] * 3


def test_hostile_rows_are_only_text(tmp_path: Path) -> None:
    """The page holds the same elements, whatever a record holds."""
    rows = [pair(f"A {number} {text}", f"B {text}", f"C {text}", category=text) for number, text in enumerate(HOSTILE)]
    mild = [pair(f"A {number} x", "B x", "C x", category="x") for number in range(len(HOSTILE))]
    elements = []
    for name, records in (("hostile", rows), ("tame", mild)):
        with served(step_of(tmp_path / name, records)) as running:
            running.enter()
            pages = [Seen(running.ask("GET", f"/hunt/{number}").text) for number in range(1, len(HOSTILE) + 1)]
        plain = [[tag for tag in page.tags if tag not in ("span", "mark")] for page in pages]
        names = {attribute for page in pages for attribute, _ in page.attributes}
        elements.append(({tuple(tags) for tags in plain}, names))

    (hostile, hostile_names), (tame, tame_names) = elements
    assert hostile_names <= tame_names | {"title"}
    assert not any("iframe" in tags or "svg" in tags or "img" in tags for tags in hostile)
    assert {tags.count("script") for tags in hostile} == {tags.count("script") for tags in tame}


def test_the_door_is_not_left_open() -> None:
    """Others reach the screens only with a token that somebody chose, and a good one."""
    with pytest.raises(InputError, match="--token: expected one, because --host"):
        Address(host="0.0.0.0")
    with pytest.raises(InputError, match="16 characters"):
        Address(token="short")


def test_a_plan_that_is_fixed_while_the_screens_are_open_counts_at_once(tmp_path: Path, review: Served) -> None:
    """What was on the screen is not decided about as another row, and what is then decided counts for the plan."""
    before = review.ask("GET", "/accept/1").text
    shown = review.desk.queue("accept")[0].sha256
    plan, _ = fix_plan(StepDirectory.open(tmp_path / "1"), Wanted(limit=0.6, c=0, seed=8))
    first = next(record for record in StepDirectory.open(tmp_path / "1").records() if record.id == plan.drawn[0])

    stale = review.ask("POST", "/accept/1", {"sha256": shown, "action": "accept"})
    after = review.ask("GET", "/accept/1").text
    review.decide("accept", 1, action="accept")

    (event,) = read_store(review_beside(tmp_path / "1"))
    assert "No plan was fixed" in before
    assert "No plan was fixed" not in after
    assert first.instruction in after
    assert not shown.startswith(plan.drawn[0])
    assert stale.status == 409
    assert (event.row_id, event.plan) == (plan.drawn[0], plan.sha256)


def test_a_plan_that_goes_or_is_spoilt_is_noticed_too(tmp_path: Path) -> None:
    """A plan that somebody changed by hand is said, and nothing is decided under it."""
    step = made(tmp_path)
    plan, _ = fix_plan(step, Wanted(limit=0.6, c=0))
    place = plan_beside(step.path)
    with served(step, Seating(n=5)) as review:
        review.enter()
        planned = len(review.desk.queue("accept"))
        whole = place.read_bytes()
        place.write_bytes(whole.replace(b'"c": 0', b'"c": 5'))
        spoilt = [review.ask("GET", "/accept/1"), review.decide("accept", 1, action="accept")]
        place.unlink()
        review.ask("GET", "/")

        assert planned == plan.n < 5
        assert {one.status for one in spoilt} == {400}
        assert "the plan was changed" in spoilt[0].text
        assert review.desk.store.events() == []
        assert len(review.desk.queue("accept")) == 5
