"""A real browser, where there is one."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="module")  # its event loop would be in the way of other modules' own
def browser() -> Iterator[Browser]:
    """Chromium without a window; the test is skipped, saying so, where none is installed."""
    path = os.environ.get("DOLLY_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("no browser is here: apt-get install chromium, or set DOLLY_BROWSER")
    with sync_playwright() as playwright:
        # containers run as root, where Chromium's own sandbox cannot be set up
        opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()
