"""Does curation give back what defects cost? The causal test, on this machine, with dolly-data's own rules.

    python benchmarks/prove_noise.py [--data ../shared/data] [--base smollm2-135m] [--write docs] [--quick]

Clean data are rows that people wrote (databricks-dolly-15k); the test set is other rows of the same. Arms: clean, 30 %
planted, the same curated, and the same cut by as many rows at random; 3 seeds, the same response tokens each. `--write`
puts the page and its numbers where they say whatever they say.
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
CLEAN_ROWS, TEST_ROWS = 1000, 60
LONGEST_WORDS = 80
"""Words of instruction, context and response together, so that two cores without bf16 need some half an hour."""
SETTINGS = ("--steps", "10", "--rows-per-step", "12", "--max-tokens", "192")


def main() -> None:
    """Split, validate, prove."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--base", default="smollm2-135m")
    parser.add_argument("--percent", type=int, default=30)
    parser.add_argument("--keep", type=Path, default=None, help="the folder of the comparison")
    parser.add_argument("--write", type=Path, default=None, help="where the page and its numbers go")
    parser.add_argument("--quick", action="store_true", help="few rows, three steps")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.keep or Path(scratch)
        result = compare(args, folder)
        if args.write:
            write_pages(result, folder / "out", args.write, "prove_noise", shown_command())
    (back,) = result["recovered"]
    figures = {
        "difference": result["primary"]["difference"],
        "lost_by_defects": -_difference(result, "clean"),
        "recovered_share": back["share"],
        "minutes": result["recorded"]["training_seconds"] / 60,
        "verdict": result["verdict"],
    }
    finish("prove_noise", figures, {"minutes": ("<=", 30)})


def compare(args: Any, folder: Path) -> dict[str, Any]:
    """Run the comparison and return its result."""
    clean, test = split(args.data / "dolly_human_1500.jsonl", folder, few=args.quick)
    step = folder / "clean"
    timed("curation.cli", "validate", str(clean), "-o", str(step), "--plain")
    settings = ("--steps", "3", "--rows-per-step", "4", "--max-tokens", "256") if args.quick else SETTINGS
    noise = ("--noise", str(args.percent), "--test", str(test))
    words = ("prove", str(step), *noise, "--base", args.base, *settings, "-o", str(folder / "out"), "--plain")
    print(timed("training", *words).output)
    found: dict[str, Any] = json.loads((folder / "out" / "result.json").read_bytes())
    return found


def split(source: Path, folder: Path, *, few: bool) -> tuple[Path, Path]:
    """Write short rows into two files: to train on, and to test with; every seventh is for the test."""
    rows = [line for line in source.read_text(encoding="utf-8").splitlines() if _words(line) <= LONGEST_WORDS]
    test = rows[::7][: 24 if few else TEST_ROWS]
    train = [row for place, row in enumerate(rows) if place % 7][: 60 if few else CLEAN_ROWS]
    folder.mkdir(parents=True, exist_ok=True)
    files = folder / "clean.jsonl", folder / "test.jsonl"
    for file, part in zip(files, (train, test), strict=True):
        file.write_text("\n".join(part) + "\n", encoding="utf-8")
    return files


def shown_command() -> str:
    """Return how this was started."""
    return " ".join(["python", "benchmarks/prove_noise.py", *(word for word in sys.argv[1:])])


def _words(line: str) -> int:
    row = json.loads(line)
    return sum(len(row[name].split()) for name in ("instruction", "context", "response"))


def _difference(result: dict[str, Any], against: str) -> float:
    return -next(float(one["difference"]) for one in result["contrasts"] if one["against"] == against)


if __name__ == "__main__":
    main()
