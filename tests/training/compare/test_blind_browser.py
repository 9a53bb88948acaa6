"""The page to vote on, in a real browser, by keyboard alone."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.training.compared import two
from training.compare.blind import write_ballots
from training.compare.page import write_page
from training.compare.votes import tally


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """The page with six ballots; whatever it says on the console or asks the network for fails the test."""
    written = write_ballots(two(6), tmp_path / "page.html", seed=3)
    context = browser.new_context(viewport={"width": 390, "height": 844}, accept_downloads=True)
    opened = context.new_page()
    said: list[str] = []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("request", lambda asked: said.append(asked.url) if asked.url.startswith("http") else None)
    opened.goto(written.page.as_uri())
    yield opened
    context.close()
    assert said == []


def press(page: Page, *keys: str) -> None:
    """Press keys one after the other."""
    for key in keys:
        page.keyboard.press(key)


def pair_shown(page: Page) -> str:
    """Return the heading of what is on the screen."""
    return page.locator("h2:visible").first.inner_text()


def serious(page: Page) -> list[str]:
    """Return what axe finds that keeps people out."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found if one["impact"] in ("serious", "critical")
    ]


def test_all_votes_are_cast_undone_and_exported_by_keys(page: Page, tmp_path: Path) -> None:
    """1, 2, 0, s, u, j, k; then Tab to the export; the file is counted with the key."""
    press(page, "1", "2", "0", "s", "u")
    assert pair_shown(page) == "Pair 4 of 6"
    press(page, "k")
    assert pair_shown(page) == "Pair 3 of 6"
    press(page, "j", "1", "2", "1")
    assert pair_shown(page) == "That was the last pair"
    page.locator("#voter").focus()
    page.keyboard.type("Ann 1")
    press(page, "Tab", "Tab")
    with page.expect_download() as started:
        press(page, "Enter")
    started.value.save_as(tmp_path / "votes.json")

    votes = json.loads((tmp_path / "votes.json").read_text())
    assert [one["vote"] for one in votes["votes"]] == ["left", "right", "tie", "left", "right", "left"]
    assert started.value.suggested_filename == "votes-Ann-1.json"
    found = tally([tmp_path / "votes.json"], tmp_path / "page.key.json")
    assert (found.votes, found.voters) == (6, 1)


def test_votes_survive_a_reload(page: Page) -> None:
    """They stand in this browser's own store; the page goes on where one was."""
    press(page, "2", "1")
    page.reload()

    assert pair_shown(page) == "Pair 3 of 6"
    press(page, "u")
    assert pair_shown(page) == "Pair 2 of 6"
    assert page.inner_text("#progress") == "1 of 6 pairs voted on."


def test_keys_can_be_switched_off_and_stay_off(page: Page) -> None:
    """As WCAG 2.1.4 wants it; buttons still vote."""
    page.locator("#keys").focus()
    press(page, "Space")
    page.reload()
    press(page, "1")
    assert pair_shown(page) == "Pair 1 of 6"
    page.get_by_role("button", name="Left").focus()
    press(page, "Enter")

    assert pair_shown(page) == "Pair 2 of 6"


def test_keys_are_ignored_while_one_types_or_holds_a_modifier(page: Page) -> None:
    """A name may contain a 1."""
    page.locator("#voter").focus()
    page.keyboard.type("s12")
    page.locator("#voter").blur()
    press(page, "Control+1")

    assert pair_shown(page) == "Pair 1 of 6"


def test_help_opens_and_closes_by_key(page: Page) -> None:
    """And does not vote meanwhile."""
    press(page, "?")
    assert page.locator("dialog").is_visible()
    press(page, "1", "Escape")

    assert not page.locator("dialog").is_visible()
    assert pair_shown(page) == "Pair 1 of 6"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_keeps_nobody_out(page: Page, scheme: str) -> None:
    """By axe, in light and dark; and nothing is wider than a telephone."""
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")

    assert serious(page) == []
    press(page, "1", "?")
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_comparison_keeps_nobody_out(browser: Browser, tmp_path: Path, scheme: str) -> None:
    """And its filter works without a script."""
    write_page(two(6), tmp_path / "page.html")
    context = browser.new_context(
        viewport={"width": 390, "height": 844},
        color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=True,
    )
    opened = context.new_page()
    opened.goto((tmp_path / "page.html").as_uri())

    assert serious(opened) == []
    assert opened.evaluate("document.documentElement.scrollWidth") <= 390
    opened.locator("#show-2").focus()
    opened.keyboard.press("Space")
    assert opened.locator("article:visible").count() == 2
    context.close()
