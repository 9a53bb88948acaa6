"""A page that is watched: whatever it says, tries to load or shows of itself is noted."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Dialog, Page, Route

LOOPBACK = ("127.0.0.1", "localhost")
BUSY = ".htmx-request, .htmx-swapping, .htmx-settling"
"""What there is of a page that has not wholly arrived."""


class Opened(Protocol):
    """Screens that are served."""

    @property
    def url(self) -> str:
        """What the command prints."""


@dataclass(slots=True, kw_only=True)
class Watched:
    """A page and what went wrong on it."""

    page: Page
    said: list[str] = field(default_factory=list)
    """Messages of the console, errors, dialogs, and requests to elsewhere."""

    def press(self, keys: str) -> None:
        """Press keys one after the other, each when the page before it has arrived."""
        for key in keys.split():
            self.page.keyboard.press(key)
            self.page.wait_for_selector(BUSY, state="detached")

    def heading(self) -> str:
        """Return the page's heading."""
        return self.page.inner_text("main h1")


@contextmanager
def watched(browser: Browser, review: Opened, **settings: object) -> Iterator[Watched]:
    """Open a review in a browser of its own, and let nothing out."""
    context = browser.new_context(**settings)  # type: ignore[arg-type]  # passed through
    page = context.new_page()
    one = Watched(page=page)
    page.on("console", lambda message: one.said.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: one.said.append(f"error: {error}"))

    def dismissed(dialog: Dialog) -> None:
        one.said.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def let_through(route: Route) -> None:
        host = urlsplit(route.request.url).hostname
        if host in LOOPBACK or route.request.url.startswith("data:"):
            route.continue_()
        else:
            one.said.append(f"request: {route.request.url}")
            route.abort()

    page.on("dialog", dismissed)
    context.route("**/*", let_through)
    try:
        page.goto(review.url)
        yield one
    finally:
        context.close()


def serious(page: Page) -> list[str]:
    """Return what axe finds that keeps people out, with where it stands."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {node['html'][:200]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]
