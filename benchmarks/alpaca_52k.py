"""The very data that Dolly v1 was trained on, through every step, and a model tuned on 500 of the kept records.

    python benchmarks/alpaca_52k.py --data alpaca_52k.jsonl.gz [--quick] [--keep FOLDER]

Prints seconds and peak memory by step, counts by reason, and three examples of each reason. Curation runs twice: cold,
and with the vectors that the first time left behind.
"""

import argparse
import json
import os
import random
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from common import Timed, finish, timed

from curation.reasons import describe
from schemas.outcome import Rejection
from schemas.record import InstructionRecord, Reason, Repair
from schemas.step import StepDirectory, step_input, write_step

GOAL_SECONDS, GOAL_MB = 600.0, 3072.0
GOAL_COLD, GOAL_CACHED, GOAL_CURATION_MB = 240.0, 45.0, 2048.0
EVALS = Path(__file__).resolve().parents[2] / "shared" / "data" / "eval_prompts"
DEFECTS = ("response_empty", "merged_tasks", "no_input_marker", "response_placeholder")
"""Alpaca's known defects; each must be found under a code of its own."""
TRAINED = 500
QUICK_ROWS = 3000
EXAMPLES = 3
WIDTH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A seeded simple random sample of a step's records, as a step."""

    n: int
    seed: int = 42

    @property
    def name(self) -> str:
        """The stage's name."""
        return "sample"

    def of(self, step: StepDirectory) -> Iterator[InstructionRecord]:
        """Yield `n` of the records, in their order."""
        total = step.manifest.counts.kept
        drawn = set(random.Random(self.seed).sample(range(total), min(self.n, total)))
        return (record for number, record in enumerate(step.records()) if number in drawn)


def curate(data: Path, runs: Path) -> dict[str, Timed]:
    """Run every step of curation as a user would, whatever stands there already; return what each took."""
    steps = [str(runs / name) for name in ("1-validate", "2-filter", "3-decontaminate", "4-dedupe")]
    first, second, third, fourth = steps
    evals = data.with_name("eval_prompts")
    against = ("--against", str(evals if evals.is_dir() else EVALS))
    return {
        "validate": timed("curation.cli", "validate", str(data), "-o", first, "--force"),
        "filter": timed("curation.cli", "filter", first, "-o", second, "--force"),
        "decontaminate": timed("curation.cli", "decontaminate", second, *against, "-o", third, "--force"),
        "dedupe": timed("curation.cli", "dedupe", third, "-o", fourth, "--force"),
        "report": timed("curation.cli", "report", fourth, "-o", str(runs / "report.html")),
    }


def walk(data: Path, runs: Path) -> tuple[dict[str, Timed], dict[str, float]]:
    """Curate twice, first without any vectors kept and then with them, and release; return times and figures."""
    os.environ["DOLLY_CACHE"] = str(runs / "cache")
    cold = curate(data, runs)
    cached = curate(data, runs)
    took = {**cold, "release": timed("curation.cli", "release", str(runs / "4-dedupe"), "-o", str(runs / "5-release"))}
    figures = {
        "curation_cold_seconds": round(sum(one.seconds for one in cold.values()), 1),
        "curation_cached_seconds": round(sum(one.seconds for one in cached.values()), 1),
        "curation_peak_mb": round(max(one.peak_mb for one in (*cold.values(), *cached.values()))),
        "dedupe_cached_seconds": round(cached["dedupe"].seconds, 1),
    }
    return took, figures


def train(runs: Path, records: int) -> Timed:
    """Tune the embedded model on some of the kept records."""
    kept = StepDirectory.open(runs / "4-dedupe")
    sample = Sample(n=records)
    write_step(runs / "6-sample", sample, lambda _: sample.of(kept), inputs=[step_input(kept)])
    where = (str(runs / "6-sample"), "--base", "smollm2-135m", "-o", str(runs / "7-model"))
    took = timed("training", "fit", *where, "--epochs", "1")
    trained = json.loads((runs / "7-model" / "run.json").read_text(encoding="utf-8"))["trained"]
    print(
        f"trained {trained['steps']} steps on {trained['tokens']:,} tokens, loss {trained['first_loss']:.2f} at first"
    )
    return took


def show_reasons(runs: Path) -> dict[str, int]:
    """Print how often each reason was given, with examples; return the counts."""
    found: dict[str, list[str]] = defaultdict(list)
    for name in ("1-validate", "2-filter", "3-decontaminate", "4-dedupe"):
        step = StepDirectory.peek(runs / name)
        for rejection in step.rejections():
            for reason in rejection.reasons:
                found[reason.code].append(_example(rejection, reason))
    for record in StepDirectory.peek(runs / "2-filter").records():
        for repair in record.repairs:
            found[repair.code].append(_repaired(record, repair))
        for flag in record.flags:
            found[flag.code].append(f"(flag) {record.instruction} | {flag.found}")
    for code, examples in sorted(found.items(), key=lambda item: -len(item[1])):
        print(f"\n{code:28} {len(examples):>7,}  {describe(code)}")
        for example in islice(examples, EXAMPLES):
            print(f"    {example[:WIDTH]!r}")
    return {code: len(examples) for code, examples in found.items()}


def _example(rejection: Rejection, reason: Reason) -> str:
    return f"{rejection.row.get('instruction')} | {reason.field}: {reason.found}"


def _repaired(record: InstructionRecord, repair: Repair) -> str:
    return f"(repaired) {record.instruction} | {repair.field}: {repair.old!r} became {repair.new!r}"


def cut(data: Path, folder: Path) -> Path:
    """Write the first rows of the data, for --quick."""
    import gzip  # only here

    path = folder / "quick.jsonl"
    with gzip.open(data, "rt", encoding="utf-8") as rows:
        path.write_text("".join(islice(rows, QUICK_ROWS)), encoding="utf-8")
    return path


def main() -> None:
    """Walk, print, compare with the goals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--quick", action="store_true", help="first 3,000 rows, 20 trained")
    parser.add_argument("--keep", type=Path, help="leave the steps in this folder")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        runs = asked.keep or Path(folder)
        took, curation = walk(cut(asked.data, Path(folder)) if asked.quick else asked.data, runs)
        took["train"] = train(runs, 20 if asked.quick else TRAINED)
        counts = show_reasons(runs)
        kept = StepDirectory.peek(runs / "4-dedupe").manifest.counts.kept
    print(f"\n{'step':12} {'seconds':>9} {'peak MB':>9}")
    for step, one in took.items():
        print(f"{step:12} {one.seconds:>9.1f} {one.peak_mb:>9.0f}")
    figures = {
        **curation,
        **{f"{step}_seconds": round(one.seconds, 1) for step, one in took.items()},
        "total_seconds": round(sum(one.seconds for one in took.values()), 1),
        "peak_mb": round(max(one.peak_mb for one in took.values())),
        "kept": kept,
        "reasons": counts,
        "defects_found": sum(counts.get(code, 0) > 0 for code in DEFECTS),
    }
    finish(
        "alpaca_52k",
        figures,
        {
            "curation_cold_seconds": ("<=", GOAL_COLD),
            "curation_cached_seconds": ("<=", GOAL_CACHED),
            "curation_peak_mb": ("<=", GOAL_CURATION_MB),
            "total_seconds": ("<=", GOAL_SECONDS),
            "peak_mb": ("<=", GOAL_MB),
            "defects_found": (">=", len(DEFECTS)),
        },
    )


if __name__ == "__main__":
    main()
