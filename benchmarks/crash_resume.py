"""Kill `dolly-data generate` at random moments, again and again: what is lost, what is paid twice, what comes out.

    python benchmarks/crash_resume.py [--kills 100] [--quick]

A real process generates from a real mock endpoint, and is killed with SIGKILL at a random moment, started again,
killed again; when it has come to its end before its moment, it begins anew in another directory, until there have been
as many kills as were asked for. After each kill the journal is compared with the endpoint's own ledger. At each end the
bytes are compared with those of a run that was never broken. There is no peer: of the tools for this job none keeps a
request journal (curator and distilabel cache whole runs or batches).
"""

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from common import finish

from curation.generate.journal import ANSWERS, journal_beside, open_journal
from curation.mock.ledger import read_ledger
from schemas.codec import loads, sha256_of

CONCURRENCY = 8
STARTS_S = 0.5
"""Seconds that the process takes to start, about."""
STARTING_SHARE = 0.1
"""Share (0 to 1) of kills while it starts."""
JITTER_S = 0.05
"""Seconds, at most, between a request and the kill."""
AMID_SHARE = 0.5
"""Share of kills that must come while requests are under way; others say little."""
WHOLE = ("records.jsonl", "rejected.jsonl", "novelty.jsonl", "requests.jsonl")
FAULTS = ("truncated=0.03", "empty_content=0.03", "duplicate=0.03", "no_usage=0.05")
"""Faults of answers belong to the request, so that the unbroken run meets the same."""


@dataclass
class Figures:
    """What was seen."""

    kills: int = 0
    amid: int = 0
    """Kills while at least one request was under way."""
    ends: int = 0
    lost: int = 0
    """Answers that stood in a journal and were asked for again."""
    twice: int = 0
    """Requests that were billed again after a kill, because their answers had not come in."""
    most_twice: int = 0
    """The same, after a single kill at most."""
    uncounted: int = 0
    """Ends and kills at which the endpoint had billed more than the journal says may have been."""
    different: int = 0
    """Ends whose bytes were not those of the unbroken run."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--records", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    kills = 12 if args.quick else args.kills
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), args.records, kills, random.Random(args.seed))
    print(
        f"{figures.kills} kills, {figures.amid} with requests under way; {figures.ends} runs came to their end; "
        f"{figures.twice} requests were billed again, after one kill {figures.most_twice} at most"
    )
    goals = {
        "kills": (">=", kills),
        "kills_amid_requests": (">=", AMID_SHARE * kills),
        "answers_lost": ("<=", 0),
        "billed_twice_most": ("<=", CONCURRENCY),
        "billed_uncounted": ("<=", 0),
        "ends_different": ("<=", 0),
        "ends": (">=", 1),
    }
    finish("crash_resume", _named(figures), goals)


def _named(figures: Figures) -> dict[str, float]:
    return {
        "kills": figures.kills,
        "kills_amid_requests": figures.amid,
        "ends": figures.ends,
        "answers_lost": figures.lost,
        "billed_twice": figures.twice,
        "billed_twice_most": figures.most_twice,
        "billed_uncounted": figures.uncounted,
        "ends_different": figures.different,
    }


def measure(folder: Path, records: int, kills: int, chance: random.Random) -> Figures:
    """Kill so many times; then let the last run come to its end."""
    figures = Figures()
    with endpoint(folder / "whole.ledger") as address:
        said, _ = start(address, folder / "whole", records).communicate()
    requests = rows(folder / "whole.ledger")
    print(f"unbroken: {requests} requests; {said.splitlines()[0]}")
    number = 0
    while figures.kills < kills or not figures.ends:
        number += 1
        one = folder / f"{number}"
        with endpoint(folder / f"{number}.ledger") as address:
            Broken(one, folder / f"{number}.ledger", address, figures, chance).go(records, kills, requests)
        figures.ends += 1
        figures.different += any((one / name).read_bytes() != (folder / "whole" / name).read_bytes() for name in WHOLE)
    return figures


@dataclass
class Broken:
    """One directory, and the runs that were killed while they wrote it."""

    output: Path
    ledger: Path
    address: str
    figures: Figures
    chance: random.Random
    kept: set[str] = field(default_factory=set)
    """Bodies whose every answer stood in the journal at the last kill."""
    billed: Counter[str] = field(default_factory=Counter)
    """What had been billed by then."""
    twice: int = 0
    """What had been billed again by then."""

    def go(self, records: int, kills: int, requests: int) -> None:
        """Start and kill until a run comes to its end."""
        while True:
            process = start(self.address, self.output, records)
            if self.figures.kills < kills:
                self._wait(process, requests)
                process.send_signal(signal.SIGKILL)
            said, _ = process.communicate()
            self.look(killed=process.returncode == -signal.SIGKILL)
            if process.returncode == 0:
                return
            if process.returncode != -signal.SIGKILL:
                sys.exit(f"exit {process.returncode}: {said}")

    def _wait(self, process: "subprocess.Popen[str]", requests: int) -> None:
        """Wait for a random moment: a number of requests on, and a little; one time in ten, while it starts."""
        if self.chance.random() < STARTING_SHARE:
            time.sleep(STARTS_S * self.chance.random())
            return
        until = rows(self.ledger) + self.chance.randint(1, max(1, requests // 3))
        while process.poll() is None and rows(self.ledger) < until:
            time.sleep(0.002)
        time.sleep(JITTER_S * self.chance.random())

    def look(self, *, killed: bool) -> None:
        """Compare journal and ledger."""
        figures, billed = self.figures, Counter(one.key for one in read_ledger(self.ledger) if one.status == 200)
        again = {key: count - self.billed[key] for key, count in billed.items() if self.billed[key]}
        figures.lost += sum(count for key, count in again.items() if key in self.kept)
        figures.kills += killed
        asked, answered = bodies(journal_beside(self.output))
        twice = sum(max(0, count - asked[key]) for key, count in billed.items()) - self.twice
        self.twice += twice
        figures.twice += twice
        figures.most_twice = max(figures.most_twice, twice)
        figures.amid += killed and sum(answered.values()) < sum(asked.values())
        self.kept = {key for key, count in answered.items() if count == asked[key]}
        self.billed = billed
        with open_journal(journal_beside(self.output)) as journal:
            figures.uncounted += journal.spending.tokens.total < sum(one.tokens for one in read_ledger(self.ledger))


def rows(ledger: Path) -> int:
    """Return how many requests a ledger holds."""
    return ledger.read_bytes().count(b"\n") if ledger.exists() else 0


def bodies(journal: Path) -> tuple[Counter[str], Counter[str]]:
    """Return how many different requests with each body were asked, and answered; by the hash that the ledger has."""
    key_of, answered = dict[str, str](), set[str]()
    file = journal / ANSWERS
    for line in file.read_bytes().splitlines(keepends=True) if file.exists() else ():
        if line.endswith(b"\n"):
            row = loads(line)
            if row["t"] == "request":
                key_of[row["key"]] = sha256_of(_body(row))
            elif row["t"] == "answer":
                answered.add(row["key"])
    return Counter(key_of.values()), Counter(key_of[key] for key in answered)


def _body(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was sent for a request."""
    return {"model": row["model"], "messages": row["messages"], **row["params"], **row.get("constraint", {})}


def start(address: str, output: Path, records: int) -> "subprocess.Popen[str]":
    """Start a run."""
    words = f"generate -n {records} -o {output} --base-url {address} --model mock --concurrency {CONCURRENCY}".split()
    command = [sys.executable, "-m", "curation.cli", *words, "--round-size", "8", "--output-form", "list", "--plain"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@contextmanager
def endpoint(ledger: Path) -> Iterator[str]:
    """Serve the mock endpoint in a process of its own; yields its address."""
    words = ["mock-endpoint", "--latency-s", "0.02", "--tokens-per-s", "1500", "--ledger", str(ledger)]
    faults = [word for fault in FAULTS for word in ("--fault", fault)]
    command = [sys.executable, "-m", "curation.cli", *words, *faults]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


if __name__ == "__main__":
    main()
