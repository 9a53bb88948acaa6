"""What every benchmark prints: a readable table, and one JSON object as its last line."""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = ("torch", "transformers", "datasets", "sentence-transformers", "dolly-instruct")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """A finished command: what it took as a whole process."""

    seconds: float
    peak_mb: float
    """Largest resident size of the process and the children it waited for, in MB."""
    output: str


def timed(*command: str, cwd: Path | None = None) -> Timed:
    """Run one of our commands in a process of its own; stop the benchmark if it fails."""
    started = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-m", *command], cwd=cwd, stdout=subprocess.PIPE, stderr=sys.stderr, text=True
    ) as process:
        output = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)}: exit {process.returncode}\n{output}")
    return Timed(seconds=time.monotonic() - started, peak_mb=usage.ru_maxrss / 1024, output=output)


def finish(name: str, figures: Mapping[str, Any], goals: Mapping[str, tuple[str, float]]) -> None:
    """Print the figures beside their goals, and the JSON object. A goal is (`<=` or `>=`, number)."""
    met = True
    for figure, (sign, number) in goals.items():
        here = figures[figure] <= number if sign == "<=" else figures[figure] >= number
        met = met and here
        print(f"{figure:28} {figures[figure]:>12,.2f}  goal {sign} {number:,g}  {'met' if here else 'MISSED'}")
    result = {
        "benchmark": name,
        "figures": figures,
        "goals": {figure: f"{sign} {number:g}" for figure, (sign, number) in goals.items()},
        "met": met,
        "machine": {"cores": os.cpu_count(), "processor": platform.machine(), "python": platform.python_version()},
        "versions": {package: _version(package) for package in PACKAGES},
    }
    print(json.dumps(result))


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
