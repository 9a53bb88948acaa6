"""Pairs are labelled in a real browser by keys, blind, and every label is on disk before the next pair shows."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser

from curation.calibrate.second import compared, open_second, second_path
from curation.calibrate.web.app import make_app, task_of
from curation.calibrate.web.sides import name_of
from curation.cli import main
from curation.review.web.guard import Keys
from schemas.codec import dumps
from schemas.errors import InputError
from schemas.record import Row
from tests.curation.calibrate.test_label import labels, line
from tests.curation.review.served import serving
from tests.curation.review.watched import Watched, serious, watched
from tests.hostile import HOSTILE
from tests.support import ROOT

SECRET = 0.8765
"""A cosine that nobody is to see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Screens:
    """Served pairs."""

    keys: Keys

    @property
    def url(self) -> str:
        """What the command prints."""
        return f"http://127.0.0.1:{self.keys.port}/?token={self.keys.token}"


def written(path: Path, rows: list[Row]) -> Path:
    """Write a file of pairs."""
    path.write_bytes(b"".join(dumps(row) + b"\n" for row in rows))
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a file of four open pairs."""
    return written(tmp_path / "pairs.jsonl", [line(at, cosine=SECRET) for at in range(4)])


@contextmanager
def opened(browser: Browser, path: Path, first: Path | None = None, **settings: object) -> Iterator[Watched]:
    """Serve a file and open it in a browser, in which nothing may go wrong."""
    with (
        serving(lambda keys: make_app(task_of(path, first), keys)) as keys,
        watched(browser, Screens(keys=keys), **settings) as seen,
    ):
        yield seen
        assert seen.said == []


def test_keys_become_labels_on_disk_at_once(browser: Browser, file: Path) -> None:
    """Each is there when the next pair shows, and another sitting goes on with what is open."""
    with opened(browser, file) as seen:
        counts = []
        for keys in ("s", "d", "u", "s"):
            seen.press(keys)
            counts.append(4 - labels(file).count(None))
    with opened(browser, file) as seen:
        left = seen.page.inner_text(".progress span")
        seen.press("d d")
        heading = seen.heading()

    assert counts == [1, 2, 1, 2]
    assert left == "2 labelled"
    assert heading == "Every pair has a label"
    assert sorted(map(str, labels(file))) == ["distinct", "distinct", "same", "same"]


def test_a_skipped_pair_comes_again_when_asked_for(browser: Browser, file: Path) -> None:
    """Not now is no label."""
    with opened(browser, file) as seen:
        seen.press("n s s s")
        heading = seen.heading()
        seen.press("n d")

        assert heading == "Nothing is left but what you skipped"
        assert seen.heading() == "Every pair has a label"
        assert labels(file).count("distinct") == 1


def test_how_alike_a_pair_is_shows_once_it_has_a_label(browser: Browser, file: Path) -> None:
    """Before that the page holds no trace of it, not even in its source."""
    with opened(browser, file) as seen:
        before = seen.page.content()
        seen.press("s k")
        after = seen.page.inner_text(".mine")

    assert str(SECRET)[1:] not in before
    assert ".88" not in before
    assert "cosine" not in before.lower()
    assert "Cosine of the prompts .88" in after


def test_only_what_differs_is_marked(browser: Browser, tmp_path: Path) -> None:
    """On each side what the other does not have; what is equal stands once."""
    a, b = ({"instruction": f"List {n} rivers.", "context": "Of Africa.", "response": "So."} for n in (3, 5))
    with opened(browser, written(tmp_path / "pairs.jsonl", [line(0, a=a, b=b)])) as seen:
        assert seen.page.locator("del").all_inner_texts() == [" 3"]
        assert seen.page.locator("ins").all_inner_texts() == [" 5"]
        assert seen.page.inner_text("main").count("Of Africa.") == 1


def test_a_second_labelling_sees_nothing_of_the_first_until_it_is_done(browser: Browser, file: Path) -> None:
    """Its own file, no label or note of the first one; then kappa, and where both differ."""
    written(file, [line(at, label="same" if at < 2 else "distinct", note="sure!") for at in range(4)])
    second = open_second(file)
    fresh = second.read_text()
    with opened(browser, second, file) as seen:
        shown = []
        for _ in range(4):
            shown.append(seen.page.content())
            seen.press("s" if "Say 0" in seen.page.inner_text("main") else "d")
        text = seen.page.inner_text("main")

    found = compared(file)
    assert found is not None
    assert (found.table.both_reject, found.table.first_only, found.table.both_accept) == (1, 1, 2)
    assert found.apart == (1,)
    assert "sure!" not in fresh + "".join(shown)
    assert not any("kappa" in page or "You said" in page for page in shown)
    assert "Cohen's kappa 0.50" in text
    assert "first same, you distinct" in text
    assert labels(file) == ["same", "same", "distinct", "distinct"]


def test_a_second_labelling_of_other_pairs_is_refused(file: Path) -> None:
    """What agreement between different pairs means, nobody knows."""
    written(second_path(file), [line(9)])

    with pytest.raises(InputError, match="same pairs"):
        open_second(file)
    with pytest.raises(InputError, match="same pairs"):
        compared(file)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_kept_out(browser: Browser, file: Path, scheme: str) -> None:
    """Axe finds nothing serious on a pair, a labelled pair, an open panel, the last screen."""
    written(second_path(file), [line(at, cosine=SECRET, label="same") for at in range(3)] + [line(3, cosine=SECRET)])
    with opened(browser, file, second_path(file), color_scheme=scheme, viewport={"width": 390, "height": 844}) as seen:
        found = serious(seen.page)
        for keys in ("?", "Escape s k", "h s d s"):
            seen.press(keys)
            found += serious(seen.page)
        assert seen.heading() == "Every pair has a label"
        assert seen.page.evaluate("document.documentElement.scrollWidth") == 390

        assert found == []


def test_hostile_pairs_run_nothing_and_load_nothing(browser: Browser, tmp_path: Path) -> None:
    """Every text is only text, on both sides and in the differences."""
    side = {name: " ".join(HOSTILE) for name in ("instruction", "context", "response")}
    other = {name: " ".join(reversed(HOSTILE)) for name in side}
    path = written(tmp_path / "pairs.jsonl", [line(0, a=side, b=other), line(1, a=other, b=side)])
    with opened(browser, path) as seen:
        seen.press("s d k k")

        assert (
            seen.page.evaluate(
                "document.querySelectorAll('main :is(img, svg, iframe, script, style, a[href*=\":\"])').length"
            )
            == 0
        )


def test_without_scripts_buttons_do_the_same(browser: Browser, file: Path) -> None:
    """Forms alone."""
    with opened(browser, file, java_script_enabled=False) as seen:
        seen.page.click("button[value=same]")
        seen.page.click("form[action='/undo'] button")
        seen.page.click("button[value=distinct]")

        assert sorted(map(str, labels(file))) == ["None", "None", "None", "distinct"]


def test_what_comes_from_elsewhere_is_refused(file: Path) -> None:
    """Another host's name, a page of another origin, nobody's cookie: no label, no text."""
    with serving(lambda keys: make_app(task_of(file), keys)) as keys:
        answers = [
            asked(keys, "GET", "/pairs/1", host="evil.example"),
            asked(keys, "GET", "/pairs/1"),
            asked(keys, "POST", "/pairs/1", origin="http://evil.example", cookie=f"{keys.cookie}={keys.session}"),
            asked(keys, "POST", "/pairs/1", cookie=f"{keys.cookie}={keys.session}"),
        ]

    assert answers == [421, 403, 403, 409]
    assert labels(file) == [None] * 4


def asked(keys: Keys, method: str, path: str, **headers: str) -> int:
    """Send one request that no page of ours would send, and return its status."""
    connection = HTTPConnection("127.0.0.1", keys.port, timeout=20)
    try:
        connection.request(method, path, "action=same&sha256=x" if method == "POST" else None, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_killed_server_has_lost_no_label(tmp_path: Path) -> None:
    """Every label that it acknowledged is in the file, which is whole; the next sitting goes on from there."""
    path = written(tmp_path / "pairs.jsonl", [line(at) for at in range(12)])
    order = task_of(path).sheet.order
    command = [sys.executable, "-m", "curation.cli", "calibrate", "review", str(path), "--no-browser", "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    ) as run:
        assert run.stdout is not None
        address = urlsplit(json.loads(run.stdout.readline())["url"])
        keys = Keys(port=address.port or 0)
        cookie = header(keys, f"/?{address.query}")
        statuses = [
            post(keys, number, name_of(task_of(path).sheet.rows[order[number - 1]]), cookie) for number in (1, 2, 3)
        ]
        run.kill()

    assert statuses == [303] * 3
    assert [labels(path)[at] for at in order] == ["same"] * 3 + [None] * 9
    assert task_of(path).sheet.at == order[3]
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def header(keys: Keys, path: str) -> str:
    """Return the cookie that a token is exchanged for."""
    connection = HTTPConnection("127.0.0.1", keys.port, timeout=60)
    connection.request("GET", path)
    return (connection.getresponse().getheader("set-cookie") or "").partition(";")[0]


def post(keys: Keys, number: int, sha256: str, cookie: str) -> int:
    """Label a pair as its page's form does, and return the status."""
    connection = HTTPConnection("127.0.0.1", keys.port, timeout=60)
    connection.request("POST", f"/pairs/{number}", f"action=same&sha256={sha256}", {"cookie": cookie})
    return connection.getresponse().status


def test_apply_says_how_far_two_people_agree(file: Path) -> None:
    """As a line for people, and as a field for programs."""
    written(file, [line(at, label="same") for at in range(4)])
    written(second_path(file), [line(at, label="same" if at else "distinct") for at in range(4)])

    said = CliRunner().invoke(main, ["calibrate", "apply", str(file)])
    event = CliRunner().invoke(main, ["calibrate", "apply", str(file), "--json"])

    assert "4 of them labelled twice: 75% alike, kappa 0.00" in said.output
    assert json.loads(event.stdout.splitlines()[-1])["labelled_twice"] == 4
