"""An estimate of curation on clusters, fitted to what `scale.py` measured on one machine.

    python benchmarks/scale.py --engine ray > scale.log
    python benchmarks/cost_model.py scale.log

The seconds of each step are fitted with a + b·n + c·n², none of them below zero (a is its start, c of dedupe alone), by
least squares of the relative errors; how far the fit is from the measurements is printed beside it. From that, and from
the assumptions below, comes what 100 million and a billion records would take.
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import nnls

BYTES = 700
"""Of a record in a step directory."""
VECTOR_BYTES = 385 * 4 + 65 * 4
"""Of a prompt: its vector, and its short one in the bound."""
TOKENS, PARAMETERS = 25, 10.6e6
"""Tokens of a prompt; parameters that multiply each in MiniLM."""
GPU_FLOPS = 40e12
"""What a GPU gets of an encoder that small, in half precision: a seventh of an A100's peak."""
SIZES = (100_000_000, 1_000_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Machines of one kind."""

    name: str
    nodes: int
    cores: int
    """Of each."""
    memory_gb: int
    """Of each."""
    gbit: float
    """Of each node's network, a second."""
    gpus: int = 0
    """Of all; they encode where there are any."""


CLUSTERS = (
    Cluster(name="1 node, 64 cores, 512 GB", nodes=1, cores=64, memory_gb=512, gbit=25),
    Cluster(name="16 nodes, 64 cores, 512 GB each", nodes=16, cores=64, memory_gb=512, gbit=25),
    Cluster(name="64 nodes, 64 cores, 512 GB each, 64 A100", nodes=64, cores=64, memory_gb=512, gbit=100, gpus=64),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Seconds of a step by its records."""

    start: float
    linear: float
    square: float
    apart: float
    """The greatest relative error."""

    def seconds(self, records: float) -> float:
        """Return the seconds of so many records on the machine that was measured."""
        return self.start + self.linear * records + self.square * records**2


def fitted(records: Sequence[int], seconds: Sequence[float], *, square: bool) -> Fit:
    """Fit by relative error."""
    n, y = np.array(records, float), np.array(seconds, float)
    columns = np.stack([np.ones_like(n), n, n**2 if square else np.zeros_like(n)], axis=1)
    found, _ = nnls(columns / y[:, None], np.ones_like(y))
    start, linear, quadratic = (float(one) for one in found)
    return Fit(start=start, linear=linear, square=quadratic, apart=float(np.abs(columns @ found / y - 1).max()))


def measured(result: Mapping[str, Any], step: str) -> tuple[list[int], list[float]]:
    """Return the sizes and the seconds of a step."""
    head, tail = f"{step}_", "_seconds"
    names = [one.removeprefix(head).removesuffix(tail) for one in result if one.startswith(head) and one.endswith(tail)]
    sizes = sorted(int(one) for one in names if one.isdigit())
    return sizes, [result[f"{head}{size}{tail}"] for size in sizes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What a machine with `cores` was measured to take."""

    cores: int
    through: Fit
    """One process reads, writes and hashes."""
    filter: Fit
    dedupe: Fit
    encoded_per_s: float

    def hours(self, records: int, cluster: Cluster) -> dict[str, float]:
        """Return the hours of each part of the work."""
        share = self.cores / (cluster.nodes * cluster.cores)
        encoding = TOKENS * 2 * PARAMETERS * records / (cluster.gpus * GPU_FLOPS) if cluster.gpus else 0.0
        parts = {
            # workers judge while the starting process reads and writes
            "filters": max(self.filter.seconds(records) * share, self.through.seconds(records)),
            "encoding": encoding or records / self.encoded_per_s * share,
            "pairs": self.dedupe.square * records**2 * share,
            "decisions, one process": self.dedupe.linear * records,
            "moving": moved(records, cluster.nodes) * 8e-9 / cluster.gbit,
        }
        return {name: seconds / 3600 for name, seconds in parts.items()}


def moved(records: int, nodes: int) -> float:
    """Return the bytes that pass the starting node's network: records out and back, vectors to the other nodes.

    Nodes pass the vectors on to each other, so that they leave the first one twice, not once for each.
    """
    return 0.0 if nodes == 1 else records * (2 * BYTES + 2 * VECTOR_BYTES)


def fits(result: Mapping[str, Any]) -> Model:
    """Return the model of what was measured."""
    figures = result["figures"]
    return Model(
        cores=result["machine"]["cores"],
        through=fitted(*measured(figures, "pass"), square=False),
        filter=fitted(*measured(figures, "filter"), square=False),
        dedupe=fitted(*measured(figures, "dedupe"), square=True),
        encoded_per_s=figures["encoded_per_s"],
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["--"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def fit_table(model: Model) -> str:
    """Return what was fitted, and how well."""
    parts: Mapping[str, Fit] = {
        "read, write, hash: one process": model.through,
        "filter": model.filter,
        "dedupe": model.dedupe,
    }
    rows = [
        [name, f"{fit.start:.1f} s", f"{fit.linear * 1e6:,.1f} s", f"{fit.square * 1e12:,.1f} s", f"{fit.apart:.0%}"]
        for name, fit in parts.items()
    ]
    head = ["step", "start", "and a million records", "and a million squared", "furthest from a measurement"]
    return table(head, rows)


def cluster_table(model: Model, cluster: Cluster) -> str:
    """Return what a cluster takes, part by part."""
    found = [model.hours(records, cluster) for records in SIZES]
    rows = [[name, *(hours(part[name]) for part in found)] for name in found[0]]
    rows.append(["**together**", *(f"**{hours(sum(part.values()))}**" for part in found)])
    rows.append(["vectors on every node", *(_fitting(records, cluster) for records in SIZES)])
    return table([cluster.name, *(f"{records:,} records" for records in SIZES)], rows)


def _fitting(records: int, cluster: Cluster) -> str:
    size = records * VECTOR_BYTES / 1e9
    return f"{size:,.0f} GB" + ("" if size < cluster.memory_gb else ": more than a node has")


UNITS: Sequence[tuple[float, Callable[[float], str]]] = (
    (1 / 60, lambda hours: f"{hours * 3600:.0f} s"),
    (1.0, lambda hours: f"{hours * 60:.0f} min"),
    (48.0, lambda hours: f"{hours:.1f} h"),
    (float("inf"), lambda hours: f"{hours / 24:,.0f} days"),
)


def hours(number: float) -> str:
    """Return a span of time in the unit that reads best."""
    return next(show(number) for below, show in UNITS if number < below)


def main() -> None:
    """Print the fit and the estimates, in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("log", type=Path, help="what scale.py printed")
    result = json.loads(parser.parse_args().log.read_text(encoding="utf-8").splitlines()[-1])
    model = fits(result)
    print("\n\n".join([fit_table(model), *(cluster_table(model, cluster) for cluster in CLUSTERS)]))


if __name__ == "__main__":
    main()
