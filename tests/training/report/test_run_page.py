"""The page of a run in a real browser: light and dark, desk and phone; what a model wrote is only ever text."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.curation.conftest import browser
from tests.curation.review.watched import serious
from tests.hostile import HOSTILE
from tests.training.test_guard import rows_of
from training.log import CategoryLoss, Evaluation, Sample
from training.report.run_page import Seen, changes, run_html

__all__ = ["browser"]


def seen(texts: tuple[str, ...] = ("Red, green and blue.",)) -> Seen:
    """Return what was seen of a run of forty steps, evaluated three times."""
    looks = [
        Evaluation(
            step=step,
            seconds=1.0,
            loss=2.5 - step / 40,
            tokens=900,
            categories=tuple(
                CategoryLoss(category=name, records=9, tokens=300, loss=2.6 - step / 50 + at / 10)
                for at, name in enumerate(("open_qa", "chat", texts[0]))
            ),
            stop_rate=step / 40,
            answers=len(texts),
        )
        for step in (0, 20, 40)
    ]
    samples = [
        Sample(
            step=step,
            title=f"{at}: {text}",
            category=text,
            instruction=text,
            context=text if at % 2 else "",
            text=text * (step > 0),
            stopped=step > 0,
            tokens=9,
        )
        for step in (0, 20, 40)
        for at, text in enumerate(texts)
    ]
    return Seen(rows=rows_of([3 - step / 40 for step in range(40)]), evaluations=looks, samples=samples)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_is_drawn_and_asks_nobody(browser: Browser, tmp_path: Path, *, width: int, scheme: str) -> None:
    """Four curves, no word on the console, no request, it fits its screen, and axe is content; hostile texts too."""
    file = tmp_path / "training.html"
    file.write_text(run_html(HOSTILE[0], seen(tuple(HOSTILE))), encoding="utf-8")
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="light" if scheme == "light" else "dark"
    )
    page, said = context.new_page(), []
    page.on("console", lambda message: said.append(message.text))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("request", lambda request: said.append(request.url) if request.url != file.as_uri() else None)

    page.goto(file.as_uri())

    assert said == []
    assert page.locator("svg.figure").count() == 4
    assert page.locator("article").count() == len(HOSTILE)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert serious(page) == []
    context.close()


def test_a_page_can_be_made_at_any_time() -> None:
    """Before the first step, before the first evaluation, with nothing held out."""
    nothing, begun, blind = Seen(), Seen(rows=rows_of([2.0])), seen()
    blind.evaluations = [Evaluation(step=0, seconds=1.0)]

    for one in (nothing, begun, blind):
        assert "</html>" in run_html("model → out", one)


def test_changes_are_between_the_first_and_the_last_look() -> None:
    """Category by category."""
    found = changes(seen().evaluations)

    assert [(one.category, round(one.before, 3), round(one.after, 3)) for one in found][:2] == [
        ("open_qa", 2.6, 1.8),
        ("chat", 2.7, 1.9),
    ]
