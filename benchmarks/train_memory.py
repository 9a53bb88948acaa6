"""How much memory does each way of training take, how long, and does it learn the same?

    python benchmarks/train_memory.py [--data ../shared/data] [--base smollm2-135m] [--rows 500] [--quick]

Every optimiser, activations kept and computed again, large and small micro-batches, on the same Alpaca rows in the same
order; each run is `dolly-train` in a process of its own. The goal: one of them stays under 3,000 MB and ends within
0.02 nats of `adamw`, which every other way is compared with over the last tenth of its steps.
"""

import argparse
import gzip
import tempfile
from itertools import islice
from pathlib import Path

from common import finish, timed

from training.checkpoint.checkpoint import read_run

WAYS: dict[str, tuple[str, ...]] = {
    "adamw": ("--optimiser", "adamw", "--recompute", "off"),
    "adamw, recompute": ("--optimiser", "adamw", "--recompute", "on"),
    "adamw-8bit, recompute": ("--optimiser", "adamw-8bit", "--recompute", "on"),
    "adamw-bf16, recompute": ("--optimiser", "adamw-bf16", "--recompute", "on"),
    "the same, 512 at once": ("--optimiser", "adamw-bf16", "--recompute", "on", "--micro-tokens", "512"),
}
"""Ways of training all weights; a processor computes up to 2,048 packed tokens at once unless told otherwise."""
ADAPTERS: dict[str, tuple[str, ...]] = {
    "lora-16, recompute": ("--optimiser", "adamw", "--recompute", "on", "--lora-rank", "16")
}
"""Ways of training few of them: another run, whose loss is printed and held to nothing."""


def main() -> None:
    """Train in every way, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--base", default="smollm2-135m")
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--quick", action="store_true", help="two steps on 64 rows, fewer ways")
    args = parser.parse_args()
    full = {name: WAYS[name] for name in ("adamw", "adamw-8bit, recompute")} if args.quick else WAYS
    ways: dict[str, tuple[str, ...]] = {**full, **ADAPTERS}
    with tempfile.TemporaryDirectory() as folder:
        step = _step(args.data, Path(folder), 64 if args.quick else args.rows)
        more = ("--steps", "2", "--rows-per-step", "8") if args.quick else ("--epochs", "1")
        found = {name: _run(step, args.base, Path(folder), (*way, *more)) for name, way in ways.items()}
    print(f"{'':24}{'peak MB':>10}{'s/step':>10}{'last loss':>12}")
    for name, (peak, seconds, loss) in found.items():
        print(f"{name:24}{peak:10,.0f}{seconds:10.2f}{loss:12.4f}")
    exact = found["adamw"][2]
    figures = {
        "least_peak_mb": min(found[name][0] for name in found.keys() - ADAPTERS.keys()),
        "most_loss_apart": max(abs(found[name][2] - exact) for name in found.keys() - ADAPTERS.keys()),
        "ways": {name: dict(zip(("peak_mb", "seconds", "loss"), one, strict=True)) for name, one in found.items()},
    }
    finish("train_memory", figures, {"least_peak_mb": ("<=", 3000), "most_loss_apart": ("<=", 0.02)})


def _step(data: Path, folder: Path, rows: int) -> Path:
    """Validate the first Alpaca rows."""
    source, step = folder / "rows.jsonl", folder / "step"
    with gzip.open(data / "alpaca_52k.jsonl.gz", "rt", encoding="utf-8") as file:
        source.write_text("".join(islice(file, rows)), encoding="utf-8")
    timed("curation.cli", "validate", str(source), "-o", str(step))
    return step


def _run(step: Path, base: str, folder: Path, words: tuple[str, ...]) -> tuple[float, float, float]:
    """Return a run's peak in MB, its seconds a step, and its last loss in nats."""
    out = folder / "-".join(words).replace(" ", "")
    settings = ("--preset", "default", "--held-out-rows", "0", "--json")
    ran = timed("training", "fit", str(step), "--base", base, "-o", str(out), *settings, *words)
    trained = read_run(out).trained
    return ran.peak_mb, trained.seconds / trained.steps, trained.last_loss


if __name__ == "__main__":
    main()
