"""How many records a second the checks judge on one core, and which of them cost the most.

    python benchmarks/filters.py --data ../shared/data [--quick]

All text rules together without the language model, then with it; the median of several rounds, in processor seconds, so
that other work on the machine counts little. No peer runs the same rules; the cost of each check is its own share.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from common import finish
from rows import records

from curation.filters.catalogue import ChosenCheck
from curation.filters.stage import Filter, judge
from curation.filters.view import view
from schemas.record import InstructionRecord

GOALS = {"records_per_s": (">=", 20_000.0)}
ROUNDS, QUICK_ROUNDS, QUICK_ROWS = 7, 3, 8000
LANGUAGE = "wrong_language"


def seconds(work: Callable[[], object], rounds: int) -> float:
    """Return the median of the processor seconds that the work takes."""
    taken = []
    for _ in range(rounds):
        started = time.process_time()
        work()
        taken.append(time.process_time() - started)
    return statistics.median(taken)


def judged(some: Sequence[InstructionRecord], chosen: Sequence[ChosenCheck]) -> None:
    """Judge all records."""
    for record in some:
        judge(record, chosen)


def viewed(some: Sequence[InstructionRecord], check: Callable[[InstructionRecord], object] | None) -> None:
    """Take the shared look at each record, and apply one check."""
    for record in some:
        view(record)
        if check:
            check(record)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    some = records(args.data / "alpaca_52k.jsonl.gz", QUICK_ROWS if args.quick else None)
    rounds = QUICK_ROUNDS if args.quick else ROUNDS
    rules = Filter(checks={LANGUAGE: {"action": "off"}}).chosen()
    everything = Filter().chosen()
    shared = seconds(lambda: viewed(some, None), rounds)
    print(f"{'check':28} microseconds a record")
    print(f"{'(the look they share)':28} {shared / len(some) * 1e6:8.2f}")
    for one in everything:
        cost = seconds(lambda one=one: viewed(some, one.check), rounds) - shared  # type: ignore[misc]  # bound at once
        print(f"{one.code:28} {max(cost, 0) / len(some) * 1e6:8.2f}")
    figures = {
        "records": len(some),
        "checks": len(rules),
        "records_per_s": len(some) / seconds(lambda: judged(some, rules), rounds),
        "with_language_per_s": len(some) / seconds(lambda: judged(some, everything), min(rounds, 3)),
    }
    finish("filters", figures, GOALS)


if __name__ == "__main__":
    main()
