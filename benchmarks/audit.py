"""What the checks and dedupe, with their defaults, catch of known defects planted in real data.

    python benchmarks/audit.py --data ../shared/data [--quick]

Audits the filter and dedupe on Alpaca's rows and on rows that people wrote for databricks-dolly-15k, prints the catch
table of both, and what must be kept and was not. There is no peer: no other tool plants defects in the user's own data.
"""

import argparse
import tempfile
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from common import Timed, finish, timed

from schemas.step import StepDirectory

DATA = {"alpaca": "alpaca_52k.jsonl.gz", "human": "dolly_human_1500.jsonl"}
"""Name → file in the data folder."""
PER_DEFECT, QUICK_PER_DEFECT, QUICK_ROWS = 100, 20, 1500
GOALS = {
    "alpaca_caught_share": (">=", 0.9),
    "human_caught_share": (">=", 0.9),
    "alpaca_false_alarm_share": ("<=", 0.05),
    "human_false_alarm_share": ("<=", 0.05),
}


def cut(data: Path, folder: Path) -> Path:
    """Write the first rows of a file, for --quick."""
    import gzip  # only here

    path = folder / data.name.removesuffix(".gz")
    opened = gzip.open if data.suffix == ".gz" else Path.open
    with opened(data, "rt", encoding="utf-8") as rows:
        path.write_text("".join(islice(rows, QUICK_ROWS)), encoding="utf-8")
    return path


def audited(data: Path, folder: Path, per_defect: int) -> tuple[Timed, StepDirectory]:
    """Audit the default steps as a user would; print the table."""
    took = timed(
        "curation.cli", "audit", "--data", str(data), "-o", str(folder), "--per-defect", str(per_defect), "--plain"
    )
    print(took.output)
    return took, StepDirectory.open(folder)


def shares(step: StepDirectory) -> dict[str, Any]:
    """Return the shares that were caught by the right code, and the shares of false alarms."""
    rates = [rate for rate in step.rows("rates") if rate["planted"]]
    (untouched,) = step.rows("untouched")
    ruled = [rate for rate in rates if rate["expects"]]
    harmless = [rate for rate in rates if rate["harmless"]]
    return {
        "caught_share": _mean(ruled, "right"),
        "false_alarm_share": _mean(harmless, "any"),
        "untouched_rejected_share": round(untouched["rejected"] / untouched["rows"], 4),
        "untouched_more": untouched["more"],
        "right": {rate["defect"]: round(rate["right"] / rate["planted"], 3) for rate in ruled},
        "false_alarms": {rate["defect"]: round(rate["any"] / rate["planted"], 3) for rate in harmless},
        "without_a_rule": [rate["defect"] for rate in rates if not rate["expects"] and not rate["harmless"]],
    }


def _mean(rates: list[Mapping[str, Any]], name: str) -> float:
    """Return the mean over defects, each counting alike however many were planted."""
    total: float = sum(rate[name] / rate["planted"] for rate in rates)
    return round(total / len(rates), 4)


def main() -> None:
    """Audit both, print, compare with the goals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROWS} rows, {QUICK_PER_DEFECT} of each defect")
    asked = parser.parse_args()
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name, file in DATA.items():
            data = cut(asked.data / file, Path(scratch)) if asked.quick else asked.data / file
            print(f"== {name}: {file}")
            took, step = audited(data, Path(scratch) / name, QUICK_PER_DEFECT if asked.quick else PER_DEFECT)
            figures |= {f"{name}_{key}": value for key, value in shares(step).items()}
            figures |= {f"{name}_seconds": round(took.seconds, 1), f"{name}_peak_mb": round(took.peak_mb)}
    finish("audit", figures, GOALS)


if __name__ == "__main__":
    main()
