"""The report in a real browser: its charts are drawn, nothing is asked of anybody, and no text runs."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from curation.report.collect import Look
from curation.report.write import write_report
from schemas.outcome import Outcome, reject
from schemas.record import Reason
from tests.curation.review.watched import serious
from tests.hostile import HOSTILE
from tests.support import pair, step_of


def page_of(tmp_path: Path, *, interactive: bool) -> Path:
    """Return a report about rows that try to be more than text."""
    things = ("poem", "story", "letter", "song", "joke", "speech", *HOSTILE)
    rows: list[Outcome] = [pair(f"Write a {thing}, number {n}.", thing) for thing in things for n in range(2)]
    rows += [reject(pair(f"No {text}"), Reason(code=text, found=text)) for text in HOSTILE]
    page = tmp_path / "report.html"
    look = Look(map=interactive, map_encoder="hashing")
    write_report(step_of(tmp_path / "1", rows), page, look, interactive=interactive)
    return page


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
@pytest.mark.parametrize("interactive", [False, True])
def test_a_report_is_drawn_and_asks_nobody(
    browser: Browser, tmp_path: Path, *, interactive: bool, width: int, scheme: str
) -> None:
    """Three charts or none, no word on the console, no request, it fits its screen, and axe is content."""
    page_file = page_of(tmp_path, interactive=interactive)
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="light" if scheme == "light" else "dark"
    )
    page, said = context.new_page(), []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("request", lambda request: said.append(request.url) if request.url != page_file.as_uri() else None)

    page.goto(page_file.as_uri())
    if interactive:
        page.wait_for_selector("#chart-map svg path")

    assert said == []
    assert page.locator(".chart svg").count() == (3 if interactive else 0)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert serious(page) == []
    context.close()
