"""The embedded model: accepted pairs in five minutes on this machine, and the form of lists that gives most of them.

    python benchmarks/embedded_generation.py [--quick] [--forms list schema]

Each form is a whole `dolly-data generate` with the defaults in a process of its own, stopped after the same time; what
counts is what its step would hold by then: records that passed every gate.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import finish

MINUTES = 5.0
GOAL = 100
"""Accepted pairs in five minutes on two cores."""
ENOUGH = 100_000
"""More than can be made."""


def accepted(form: str, seconds: float) -> tuple[int, float]:
    """Return how many pairs were accepted with lists in this form, and after how many seconds of generating."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["-n", str(ENOUGH), "--output-form", form, "-o", str(Path(folder) / "1"), "--json"]
        command = [sys.executable, "-m", "curation.cli", "generate", *options]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            time.sleep(seconds)
            process.send_signal(signal.SIGKILL)
        return counted(Path(folder) / "1.journal", form), seconds


def counted(journal: Path, form: str) -> int:
    """Return how many records the answers in a journal make, without asking for more."""
    output = journal.with_name("counted")
    options = ["-n", str(ENOUGH), "--output-form", form, "--journal", str(journal), "--reparse", "-o", str(output)]
    command = [sys.executable, "-m", "curation.cli", "generate", *options, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    kept: int = json.loads(done.stdout.splitlines()[-1])["counts"]["kept"]
    return kept


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--data", help="not used")
    parser.add_argument("--forms", nargs="+", default=["list", "schema"])
    chosen = parser.parse_args()
    seconds = 20.0 if chosen.quick else 60 * MINUTES
    figures: dict[str, float] = {}
    for form in chosen.forms:
        kept, took = accepted(form, seconds)
        figures[f"{form}_in_5_minutes"] = kept * 60 * MINUTES / took
        print(f"{form:8} {kept} accepted in {took:.0f} s")
    figures["accepted_in_5_minutes"] = max(figures.values())
    finish("embedded_generation", figures, {"accepted_in_5_minutes": (">=", GOAL)})


if __name__ == "__main__":
    main()
