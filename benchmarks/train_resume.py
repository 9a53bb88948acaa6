"""Training that is killed at random moments, with SIGKILL and SIGTERM in turn, and run to its end: the same weights?

    python benchmarks/train_resume.py [--kills 20] [--quick]

A small random Llama is trained by `dolly-train` in processes of its own; the weights of the broken run must be those
of an undisturbed one, byte for byte.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import finish

from schemas.step import StepDirectory
from tests.support import pair, step_of
from tests.training.tiny import save_tiny
from training.checkpoint.resume import resume_beside

EPOCHS, STEPS = 40, 1920
LONGEST_WAIT_S = 0.6
"""Seconds of training, at most, before a kill."""


def main() -> None:
    """Kill, go on, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="four kills")
    args = parser.parse_args()
    kills = 4 if args.quick else args.kills
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder)
        base = save_tiny(runs / "base", "gpt2", resid_pdrop=0.1)
        data = step_of(runs / "data", [pair(f"Name colour {at}.", f"Colour {at}.") for at in range(96)])
        started = time.monotonic()
        finished(start(data, base, runs / "whole"))
        whole_s = time.monotonic() - started
        stopped = broken(data, base, runs / "broken", kills=kills, seed=args.seed)
        finished(start(data, base, runs / "broken"))
        equal = [(runs / name / "model.safetensors").read_bytes() for name in ("whole", "broken")]
    print(f"{kills} kills, after steps {', '.join(map(str, stopped))} of {STEPS}; undisturbed run {whole_s:.0f} s")
    figures = {
        "kills": float(kills),
        "went_on_from_a_step": float(sum(map(bool, stopped))),
        "equal": float(equal[0] == equal[1]),
    }
    finish("train_resume", figures, {"equal": (">=", 1)})


def broken(data: StepDirectory, base: Path, out: Path, *, kills: int, seed: int) -> list[int]:
    """Kill a run so many times; returns after which step each attempt left its state."""
    drawn, steps = random.Random(seed), []
    for number in range(kills):
        process = start(data, base, out)
        before = saved(out)
        while process.poll() is None and saved(out) == before:
            time.sleep(0.005)
        time.sleep(drawn.uniform(0, LONGEST_WAIT_S) if number else 0)
        process.send_signal((signal.SIGKILL, signal.SIGTERM)[number % 2])
        process.communicate()
        if process.returncode == 0:
            sys.exit(f"the run ended before kill {number + 1}: more steps are needed")
        steps.append(saved(out))
    return steps


def start(data: StepDirectory, base: Path, out: Path) -> "subprocess.Popen[str]":
    """Start a run that saves its state after every step."""
    words = f"{data.path} --base {base} -o {out} --rows-per-step 2 --epochs {EPOCHS} --lr 1e-3 --held-out-rows 0"
    command = [sys.executable, "-m", "training", *words.split(), "--save-minutes", "0.0001", "--plain"]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env)


def finished(process: "subprocess.Popen[str]") -> None:
    """Wait for a run that must not fail."""
    said, _ = process.communicate()
    if process.returncode:
        sys.exit(said)


def saved(out: Path) -> int:
    """Return after which step the newest state was saved; 0: none."""
    found = sorted(resume_beside(out).glob("step-*"))
    return int(found[-1].name.removeprefix("step-")) if found else 0


if __name__ == "__main__":
    main()
