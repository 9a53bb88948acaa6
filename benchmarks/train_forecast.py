"""Is a dry run's estimate of minutes and memory what the run then takes?

    python benchmarks/train_forecast.py --data STEP [--base smollm2-135m] [--steps 12] [--quick]

STEP is a step directory of dolly-data. The dry run and the run are `dolly-train` in processes of their own.
"""

import argparse
import json
import tempfile
from pathlib import Path

from common import finish, timed

from training.checkpoint.checkpoint import read_run


def main() -> None:
    """Forecast, train, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="a step directory with some hundred records or more")
    parser.add_argument("--base", default="smollm2-135m")
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--quick", action="store_true", help="three steps")
    args = parser.parse_args()
    steps = 3 if args.quick else args.steps
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        words = ["training", "fit", args.data, "--base", args.base, "-o", str(out), "--steps", str(steps)]
        words += ["--held-out-rows", "0", "--json"]
        seen = json.loads(timed(*words, "--dry-run").output.splitlines()[-1])
        ran = timed(*words)
        seconds = read_run(out).trained.seconds
    here = seen["places"][0]
    print(f"{steps} steps: forecast {here['minutes'] * 60:.1f} s, took {seconds:.1f} s")
    print(f"memory: trial {seen['peak'] / 1e9:.2f} GB, run {ran.peak_mb / 1e3:.2f} GB")
    figures = {
        "seconds_forecast_by_taken": here["minutes"] * 60 / seconds,
        "off_by": abs(here["minutes"] * 60 / seconds - 1),
        "memory_trial_by_run": seen["peak"] / 1e6 / ran.peak_mb,
    }
    finish("train_forecast", figures, {"off_by": ("<=", 0.25)})


if __name__ == "__main__":
    main()
