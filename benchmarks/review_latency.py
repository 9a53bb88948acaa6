"""How long a reviewer waits: for the first screen, for the next record, for a search; and what a killed server loses.

    python benchmarks/review_latency.py [--data ../shared/data] [--rows 52002] [--kills 20] [--quick]

In a real browser, over the real data: first screen < 2 s after the index is built, key to next record painted < 100 ms
(95th percentile), search < 200 ms (95th percentile). Then the server is killed amid 200 decisions, again and again: no
decision that was acknowledged may be lost, and the chain must verify. There is no peer: no other tool of the kind
starts without accounts and services, or survives this.
"""

import argparse
import gzip
import http.client
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from common import finish
from playwright.sync_api import Page, sync_playwright

from curation.review.exchange import verify
from curation.review.store import read_store, review_beside

DECISIONS = 200
READING_MS = 3000
"""What a person takes for the first record, while the server loads what it will need."""
SEARCHES = ("poem", "the", "write a", '"climate change"', "python function list", "recipe chick", "what is", "zebra")
PAINTED = """() => new Promise((done) => {
  const before = document.querySelector("main h1").textContent;
  const start = performance.now();
  const painted = () => requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
  new MutationObserver((_, watch) => {
    const now = document.querySelector("main h1");
    if (now && now.textContent !== before) { watch.disconnect(); painted(); }
  }).observe(document.body, { childList: true, subtree: true, characterData: true });
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "a", bubbles: true }));
})"""
"""Presses `a` and counts the milliseconds until the next record's heading has been painted."""


def main() -> None:
    """Measure, and print."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        step = _prepare(Path(folder), options.data, options.rows)
        figures = {"rows": float(options.rows), **_screens(step, options.decisions)}
        figures |= _kills(step, options.kills)
    goals = {
        "first_screen_s": ("<=", 2.0),
        "next_record_ms_p95": ("<=", 100.0),
        "search_ms_p95": ("<=", 200.0),
        "decisions_lost": ("<=", 0.0),
        "chains_broken": ("<=", 0.0),
    }
    finish("review_latency", figures, goals)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--rows", type=int, default=52_002)
    parser.add_argument("--decisions", type=int, default=100)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--quick", action="store_true", help="2,000 rows, 30 decisions, 2 kills.")
    options = parser.parse_args()
    if options.quick:
        options.rows, options.decisions, options.kills = 2_000, 30, 2
    return options


def _prepare(folder: Path, data: Path, rows: int) -> Path:
    """Validate and filter the rows, and build the index, which is not part of what is timed."""
    with gzip.open(data / "alpaca_52k.jsonl.gz", "rb") as file:
        (folder / "rows.jsonl").write_bytes(b"".join(line for _, line in zip(range(rows), file, strict=False)))
    _run("validate", str(folder / "rows.jsonl"), "-o", str(folder / "1-validate"))
    _run("filter", str(folder / "1-validate"), "-o", str(folder / "2-filter"))
    started = time.monotonic()
    _run("review", "status", str(folder / "2-filter"))
    print(f"index of {rows:,} rows built in {time.monotonic() - started:.1f} s, the command's start included")
    return folder / "2-filter"


def _run(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "curation.cli", *words, "--json"], check=True, stdout=subprocess.DEVNULL)


@contextmanager
def _serving(step: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Start the command as a person would, and wait for the address it prints."""
    command = [sys.executable, "-m", "curation.cli", "review", str(step), "--no-browser", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            lines = (json.loads(line) for line in process.stdout)
            yield next(line["url"] for line in lines if line.get("event") == "serving"), process
        finally:
            process.kill()


def _screens(step: Path, decisions: int) -> dict[str, float]:
    path = os.environ.get("DOLLY_BROWSER") or shutil.which("chromium")
    if path is None:
        sys.exit("no browser is here: apt-get install chromium, or set DOLLY_BROWSER")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page()
        started = time.monotonic()
        with _serving(step) as (url, _):
            command = time.monotonic() - started
            page.goto(url)
            page.goto(f"http://{urlsplit(url).netloc}/hunt")
            page.wait_for_selector("main pre")
            first = time.monotonic() - started
            figures = _steps(page, decisions) | _searches(page, f"http://{urlsplit(url).netloc}")
        browser.close()
    return {"command_s": command, "first_screen_s": first - command, "start_to_screen_s": first, **figures}


def _steps(page: Page, decisions: int) -> dict[str, float]:
    page.wait_for_timeout(READING_MS)
    times = [page.evaluate(PAINTED) for _ in range(decisions)]
    return {"next_record_ms_median": statistics.median(times), "next_record_ms_p95": _p95(times)}


def _searches(page: Page, root: str) -> dict[str, float]:
    page.goto(f"{root}/explore")
    times = []
    for words in SEARCHES * 3:
        page.fill("input[name=words]", words)
        started = time.monotonic()
        page.press("input[name=words]", "Enter")
        page.wait_for_selector(".htmx-request", state="detached")
        times.append(1000 * (time.monotonic() - started))
    return {"search_ms_median": statistics.median(times), "search_ms_p95": _p95(times)}


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def _kills(step: Path, kills: int) -> dict[str, float]:
    """Kill the server amid decisions; count those that were acknowledged and are not there, and broken chains."""
    chance, lost, broken, acknowledged = random.Random(1), 0, 0, 0
    for kill in range(kills):
        said = _killed(step, chance.randrange(DECISIONS))
        stored = {(event.row_sha256, event.note) for event in read_store(review_beside(step))}
        lost += len(said - stored)
        broken += bool(verify(step)[2])
        acknowledged += len(said)
        print(f"kill {kill + 1}: {len(said)} acknowledged, {len(said - stored)} lost")
    return {"acknowledged": float(acknowledged), "decisions_lost": float(lost), "chains_broken": float(broken)}


def _killed(step: Path, after: int) -> set[tuple[str, str]]:
    """Decide until the server is killed, while a decision is under way; return what it acknowledged."""
    said: set[tuple[str, str]] = set()
    mark = str(random.Random(after).random())
    with _serving(step) as (url, process):
        cookie = _cookie(url)
        for number in range(1, DECISIONS + 1):
            connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
            page = _get(connection, f"/hunt/{number}", cookie)
            sha256 = page.partition('name="sha256" value="')[2][:64]
            form = urlencode({"sha256": sha256, "action": "accept", "note": mark})
            connection.request("POST", f"/hunt/{number}", form, {"cookie": cookie})
            if number > after:
                process.send_signal(signal.SIGKILL)
            try:
                if connection.getresponse().status == http.HTTPStatus.SEE_OTHER:
                    said.add((sha256, mark))
            except (OSError, http.client.HTTPException):
                return said
    return said


def _cookie(url: str) -> str:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    connection.request("GET", f"/?{urlsplit(url).query}")
    answer = connection.getresponse().getheader("set-cookie") or ""
    return answer.partition(";")[0]


def _get(connection: http.client.HTTPConnection, path: str, cookie: str) -> str:
    connection.request("GET", path, headers={"cookie": cookie})
    return connection.getresponse().read().decode()


if __name__ == "__main__":
    main()
