"""Does curating Alpaca buy anything for a small model? Raw against ours, against chance, on what people wrote.

    python benchmarks/prove_alpaca.py [--data ../shared/data] [--base smollm2-135m] [--write docs] [--quick]

Raw is Stanford Alpaca as validated; curated is what dolly-data's rules and its dedupe keep of it; random is as much of
raw by chance. 3 seeds, the same steps and response tokens each; the loss is on rows of databricks-dolly-15k. Short
records alone (--max-tokens) and a small budget, so that two cores without bf16 need some half an hour.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from common import finish, timed
from prove_pages import write_pages

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
QUICK_ROWS = 400
TEST_ROWS = 60


def main() -> None:
    """Curate, prove."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--base", default="smollm2-135m")
    parser.add_argument("--keep", type=Path, default=None, help="the folder of the comparison")
    parser.add_argument("--write", type=Path, default=None, help="where the page and its numbers go")
    parser.add_argument("--quick", action="store_true", help="few rows, three steps")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        result = compare(args, folder)
        if args.write:
            command = " ".join(["python", "benchmarks/prove_alpaca.py", *sys.argv[1:]])
            write_pages(result, folder / "out", args.write, "prove_alpaca", command)
    figures = {
        "difference": result["primary"]["difference"],
        "low": result["primary"]["low"],
        "high": result["primary"]["high"],
        "minutes": result["recorded"]["training_seconds"] / 60,
        "verdict": result["verdict"],
    }
    finish("prove_alpaca", figures, {"minutes": ("<=", 30)})


def compare(args: Any, folder: Path) -> dict[str, Any]:
    """Curate Alpaca as a user would, run the comparison and return its result."""
    source = alpaca(args.data / "alpaca_52k.jsonl.gz", folder, few=args.quick)
    raw, rules, curated = (str(folder / name) for name in ("1-validate", "2-filter", "3-dedupe"))
    timed("curation.cli", "validate", str(source), "-o", raw, "--plain")
    timed("curation.cli", "filter", raw, "-o", rules, "--plain")
    timed("curation.cli", "dedupe", rules, "-o", curated, "--plain")
    steps, rows, tests = ("3", "4", "24") if args.quick else ("12", "12", str(TEST_ROWS))
    size = ("--steps", steps, "--rows-per-step", rows, "--test-rows", tests, "--max-tokens", "160")
    test = ("--test", str(args.data / "dolly_human_1500.jsonl"))
    words = ("prove", raw, curated, *test, "--base", args.base, *size, "--control", "random", "--plain")
    print(timed("training", *words, "-o", str(folder / "out")).output)
    found: dict[str, Any] = json.loads((folder / "out" / "result.json").read_bytes())
    return found


def alpaca(source: Path, folder: Path, *, few: bool) -> Path:
    """Return the file to curate: all of it, or its first rows."""
    if not few:
        return source
    import gzip

    part = folder / "alpaca.jsonl"
    with gzip.open(source, "rt", encoding="utf-8") as lines:
        part.write_text("".join(line for _, line in zip(range(QUICK_ROWS), lines, strict=False)), encoding="utf-8")
    return part


if __name__ == "__main__":
    main()
