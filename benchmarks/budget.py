"""Is a budget ever exceeded? `dolly-data generate` with 500 requests in flight, and every kind of failure.

    python benchmarks/budget.py [--quick] [--budget 3000000]

The mock endpoint keeps a ledger of what it bills, also for answers that never arrive: lost connections, hangs, broken
JSON. Its total must not be over the budget by a token, and what the journal says was spent must not be less than that
total; and the budget must be used, not merely kept. There is no peer: of seven tools for this job none has a hard cap
(airoboros has `max_tokens`, and goes on paying after it is reached).
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common import finish

from curation.generate.budgeted import read_spent
from curation.generate.journal import journal_beside
from curation.mock.ledger import Entry, read_ledger

CONCURRENCY = 500
LATENCY_S = 0.5
FAULTS = {
    "limit_seconds": 0.001, "limit_silent": 0.0005, "server_error": 0.03, "unavailable": 0.0005, "hang": 0.003,
    "disconnect_before": 0.02, "disconnect_amid": 0.02, "broken_json": 0.02, "truncated": 0.02, "no_usage": 0.02,
}  # fmt: skip
"""Few of those that tell a client to slow down: what is tested needs many requests in flight."""
EXIT_BUDGET = 4


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--budget", type=int, default=3_000_000, help="tokens")
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    budget = 1_000_000 if args.quick else args.budget
    with tempfile.TemporaryDirectory() as folder:
        output, ledger = Path(folder) / "run", Path(folder) / "ledger.jsonl"
        with endpoint(ledger) as address:
            code, said = run(address, output, budget)
        entries = list(read_ledger(ledger))
        spent = read_spent(journal_beside(output))
    print(said.strip().splitlines()[-1])
    billed = sum(entry.tokens for entry in entries)
    lost = sum(entry.tokens for entry in entries if entry.fault in FAULTS and entry.status == 200)
    figures = {
        "budget_tokens": budget,
        "billed_tokens": billed,
        "billed_over_budget": max(0, billed - budget),
        "billed_over_journal": max(0, billed - spent.prompt_tokens - spent.completion_tokens),
        "budget_used_share": billed / budget,
        "counted_share": (spent.prompt_tokens + spent.completion_tokens) / budget,
        "billed_by_faults": lost,
        "requests": len(entries),
        "in_flight_most": in_flight(entries),
        "ended_by_budget": float(code == EXIT_BUDGET),
    }
    goals = {
        "billed_over_budget": ("<=", 0.0),
        "billed_over_journal": ("<=", 0.0),
        "counted_share": (">=", 0.98),
        "in_flight_most": (">=", 0.8 * CONCURRENCY),
        "ended_by_budget": (">=", 1.0),
    }
    finish("budget", figures, goals)


def in_flight(entries: list[Entry]) -> int:
    """Return how many requests were in flight at once: each was for as long as an answer takes at least."""
    changes = [(entry.time, 1) for entry in entries if entry.status == 200]
    changes += [(when + LATENCY_S, -1) for when, _ in changes]
    most = here = 0
    for _, change in sorted(changes):
        here += change
        most = max(most, here)
    return most


def run(address: str, output: Path, budget: int) -> tuple[int, str]:
    """Generate until the budget is used up."""
    words = f"generate -n 100000 -o {output} --base-url {address} --model mock --concurrency {CONCURRENCY}".split()
    words += ["--round-size", "600", "--output-form", "list", "--budget", f"{budget}tok", "--min-yield", "0"]
    words += ["--timeout-s", "3", "--attempts", "20", "--plain"]
    command = [sys.executable, "-m", "curation.cli", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@contextmanager
def endpoint(ledger: Path) -> Iterator[str]:
    """Serve the mock endpoint in a process of its own; yields its address."""
    words = ["mock-endpoint", "--latency-s", f"{LATENCY_S}", "--ledger", str(ledger), "--retry-after-s", "0.2"]
    faults = [word for name, rate in FAULTS.items() for word in ("--fault", f"{name}={rate}")]
    with subprocess.Popen(
        [sys.executable, "-m", "curation.cli", *words, *faults], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


if __name__ == "__main__":
    main()
