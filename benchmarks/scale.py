"""A million records through filters and dedupe: seconds, memory, and how both grow from Alpaca's 52,002 records on.

    python benchmarks/scale.py [--data alpaca_52k.jsonl.gz] [--quick] [--engine ray]

The records are Alpaca's rows, and variations of them: a word of their own is added to the instruction. Encoding a
million prompts is not what is measured, so dedupe gets vectors that were made: a row's own MiniLM vector, turned away
from by noise that the text seeds, for one variation in five by little (a cosine of 0.97: it says the same) and for the
others by much (0.75). All else is the product's: the pool, the search, the verifier, the decisions. Each run is a
process of its own, from a step directory to a step directory; growth is the exponent of n between Alpaca's and the
largest. `pass` is a step that does nothing: what one process takes to read, write and hash. With `--engine ray` each
runs on a Ray of this machine, too, whose start is not counted: what Ray adds, and whether the same bytes come out.
`benchmarks/cost_model.py` makes an estimate for clusters of what is printed.
"""

import argparse
import gzip
import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from math import log, sqrt
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from common import Timed, finish, timed

import curation.embedding
from curation.dedupe.prompts import prompt_of
from curation.dedupe.stage import Dedupe
from curation.embedding import embeddings_folder, open_encoder
from curation.embedding.cache import CachedEncoder
from curation.embedding.encoder import Told, Vectors, tell_nobody
from curation.engine import Engine
from curation.filters.stage import Filter
from curation.pipeline import run_stage
from schemas.outcome import SILENT, Aside, Outcome, Stage
from schemas.record import InstructionRecord, Provenance
from schemas.step import write_step

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "alpaca_52k.jsonl.gz"
SIZES = (10_000, 52_002, 250_000, 1_000_000)
QUICK = (250, 500, 1000, 2000)
"""Records; the second is also how many rows are varied."""
ENCODED = 4096
"""Prompts whose encoding is timed, if there are as many."""
MARK = " ~"
NEAR, FAR, ONE_IN = 0.97, 0.75, 5
LETTERS = "bcdfghjklmnpqrstvwxz"
"""Of the words that are added: numbers would tell the variations apart."""
GOAL_GROWTH, GOAL_MB = 1.7, 4096.0
GOAL_SMALL, GOAL_LARGE = 1.5, 1.1
"""Seconds of Ray for one of the local engine: at Alpaca's size and at the largest."""
STAGES = ("filter", "dedupe")
PASS = "pass"
ENCODE, WRITE = "encode", "write"


def records(data: Path, most: int, base: int) -> Iterator[InstructionRecord]:
    """Yield `most` records: the first `base` rows, then variations of them, over and over."""
    with gzip.open(data, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in islice(lines, base)]
    for number in range(most):
        row, turn = rows[number % len(rows)], number // len(rows)
        yield InstructionRecord(
            instruction=row["instruction"] + (MARK + word(number) if turn else ""),
            context=row["input"],
            response=row["output"],
            provenance=Provenance(source=f"part-{turn}", line=number % len(rows) + 1),
        )


def word(number: int) -> str:
    """Return a word of its own for a number."""
    letters = []
    while number:
        number, rest = divmod(number, len(LETTERS))
        letters.append(LETTERS[rest])
    return "".join(letters)


@dataclass(slots=True)
class MadeEncoder:
    """Vectors of variations, made of those of the rows."""

    own: dict[str, Any]
    identity: str = "made"
    margin: float = 0.0
    costly: bool = False

    def encode(self, texts: Sequence[str], told: Told = tell_nobody) -> Vectors:
        """Return the vectors of the texts, shape (texts, dimensions)."""
        wide = len(next(iter(self.own.values())))
        rows = np.zeros((len(texts), wide), np.float32)
        for at, text in enumerate(texts):
            rows[at] = self._vector(text, wide)
        told(len(texts), len(texts))
        return rows

    def _vector(self, text: str, wide: int) -> Any:
        before, _, rest = text.partition(MARK)
        added, _, context = rest.partition("\n")
        if not added:
            return self.own.get(text, 0)
        own = self.own.get(f"{before}\n{context}" if context else before, 0)
        seed = hashlib.sha256(added.encode()).digest()
        noise = np.random.default_rng(int.from_bytes(seed[:8])).standard_normal(wide)
        noise -= (noise @ own) * own if np.ndim(own) else 0
        cosine = NEAR if seed[8] % ONE_IN == 0 else FAR
        return cosine * own + sqrt(1 - cosine**2) * noise / np.linalg.norm(noise)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """A stage that keeps every record."""

    name: str = PASS

    def __call__(self, records: Iterable[InstructionRecord], _aside: Aside = SILENT, /) -> Iterator[Outcome]:
        """Yield each record."""
        yield from records


def open_made(data: Path, base: int, _precision: str) -> MadeEncoder:
    """Look up the rows' own vectors."""
    texts = list(dict.fromkeys(prompt_of(record).text for record in records(data, base, base)))
    encoder = CachedEncoder(encoder=open_encoder("minilm"), folder=embeddings_folder())
    return MadeEncoder(dict(zip(texts, encoder.encode(texts), strict=True)))


def written(data: Path, folder: Path, most: int, base: int) -> None:
    """Write a step directory of so many records, which every stage and engine then reads."""
    write_step(folder, Filter(), lambda _: records(data, most, base))


def one(what: str, data: Path, folder: Path, base: int, engine: Engine) -> None:
    """Run one stage over a step directory and print what it came to; a cluster is started before the clock is."""
    made = open_made(data, base, "fp32") if what == "dedupe" else None
    listed: dict[str, Any] = {**curation.embedding.ENCODERS, "made": lambda _: made}
    curation.embedding.ENCODERS = listed
    losses = tuple(f"part-{turn}" for turn in range(99))
    stages: dict[str, Stage] = {"dedupe": Dedupe(encoder="made", allow_loss=losses), "filter": Filter(), PASS: Pass()}
    with TemporaryDirectory() as out:
        started = time.monotonic()
        list(engine.map(len, [[1]]))
        begun = time.monotonic()
        step = run_stage(stages[what], folder, Path(out) / "out", engine=engine).step
        seconds = time.monotonic() - begun
    found = {"seconds": seconds, "start_seconds": begun - started, "rejected": step.manifest.counts.rejected}
    print(json.dumps({**found, "kept": step.records_file.sha256}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The step directories that are read, one a size."""

    data: Path
    folder: Path
    sizes: Sequence[int]

    @property
    def base(self) -> int:
        """How many rows are varied."""
        return self.sizes[1]

    def of(self, most: int) -> Path:
        """Return where so many records stand; they are written when they are first asked for."""
        folder = self.folder / str(most)
        if not folder.is_dir():
            self.alone(WRITE, "--records", str(most), "--input", str(folder))
        return folder

    def alone(self, what: str, *more: str) -> Timed:
        """Run a part of this file; a child's peak memory begins at its parent's, so this process loads no model."""
        words = ("--one", what, "--base", str(self.base), "--data", str(self.data), *more)
        return timed("scale", *words, cwd=Path(__file__).parent)


def measure(what: str, inputs: Inputs, kinds: Sequence[str]) -> dict[str, Any]:
    """Run a stage at every size, print each, and return the figures; engines take turns on a noisy machine."""
    figures: dict[str, Any] = {}
    sizes = inputs.sizes
    for most in sizes:
        for kind in kinds:
            figures |= _measured(what, most, inputs, kind)
    for name in (_name(what, kind) for kind in kinds):
        first, last = (figures[f"{name}_{most}_seconds"] for most in (sizes[1], sizes[-1]))
        figures[f"{name}_growth"] = round(log(last / max(first, 0.1)) / log(sizes[-1] / sizes[1]), 2)
        figures[f"{name}_peak_mb"] = figures[f"{name}_{sizes[-1]}_mb"]
    return figures


def _measured(what: str, most: int, inputs: Inputs, kind: str) -> dict[str, Any]:
    ran = inputs.alone(what, "--input", str(inputs.of(most)), "--engine", kind)
    found, name = json.loads(ran.output.splitlines()[-1]), _name(what, kind)
    print(f"{name:11} {most:>10,} {found['seconds']:>9.1f} {ran.peak_mb:>9,.0f} {found['rejected']:>10,}", flush=True)
    taken = {"seconds": round(found["seconds"], 1), "mb": round(ran.peak_mb), "kept": found["kept"]}
    return {f"{name}_{most}_{figure}": value for figure, value in taken.items()}


def _name(what: str, kind: str) -> str:
    return what if kind == "local" else f"{what}_{kind}"


def encoding(data: Path, base: int) -> None:
    """Fill the cache with the rows' vectors; print how many prompts a second become vectors, loading not counted."""
    open_made(data, base, "auto")
    rows = list(records(data, base, base))[:: max(1, base // ENCODED)]
    texts = [prompt_of(record).text for record in rows]
    encoder = open_encoder("minilm")
    encoder.encode(texts[:32])
    started = time.monotonic()
    encoder.encode(texts)
    print(json.dumps({"encoded_per_s": round(len(texts) / (time.monotonic() - started), 1)}))


def compared(sizes: Sequence[int], figures: dict[str, Any]) -> dict[str, Any]:
    """Return what Ray takes for each second of the local engine, and whether it keeps the same bytes."""
    pairs = [(what, most) for what in STAGES for most in sizes]
    ratios = {f"{what}_{most}": _ratio(figures, what, most) for what, most in pairs}
    same = all(figures[f"{what}_{most}_kept"] == figures[f"{what}_ray_{most}_kept"] for what, most in pairs)
    return {**{f"{name}_ray_ratio": ratio for name, ratio in ratios.items()}, "ray_same_bytes": float(same)}


def _ratio(figures: dict[str, Any], what: str, most: int) -> float:
    here = max(figures[f"{what}_{most}_seconds"], 0.1)
    return round(float(figures[f"{what}_ray_{most}_seconds"] / here), 2)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK[0]:,} to {QUICK[-1]:,} records")
    parser.add_argument(
        "--engine", choices=("local", "ray"), default="local", help="ray: both engines, and what Ray adds"
    )
    parser.add_argument("--one", choices=(*STAGES, PASS, ENCODE, WRITE), help=argparse.SUPPRESS)
    parser.add_argument("--input", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--records", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--base", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Measure every size, print, compare with the goals; or do one part, as a child of that."""
    asked = arguments()
    data = (asked.data / DATA.name if asked.data.is_dir() else asked.data).resolve()
    if asked.one == ENCODE:
        encoding(data, asked.base)
    elif asked.one == WRITE:
        written(data, asked.input, asked.records, asked.base)
    elif asked.one:
        one(asked.one, data, asked.input, asked.base, Engine(kind=asked.engine))
    else:
        with TemporaryDirectory() as folder:
            everything(Inputs(data=data, folder=Path(folder), sizes=QUICK if asked.quick else SIZES), asked.engine)


def everything(inputs: Inputs, engine: str) -> None:
    """Measure, print, compare with the goals."""
    figures: dict[str, Any] = json.loads(inputs.alone(ENCODE).output.splitlines()[-1])
    print(f"{'':11} {'records':>10} {'seconds':>9} {'peak MB':>9} {'rejected':>10}")
    figures |= measure(PASS, inputs, ("local",))
    for what in STAGES:
        figures |= measure(what, inputs, tuple(dict.fromkeys(("local", engine))))
    goals = {"dedupe_growth": ("<=", GOAL_GROWTH), "filter_growth": ("<=", 1.1), "dedupe_peak_mb": ("<=", GOAL_MB)}
    if engine == "ray":
        figures |= compared(inputs.sizes, figures)
        goals["ray_same_bytes"] = (">=", 1.0)
        for what in STAGES:
            goals[f"{what}_{inputs.sizes[1]}_ray_ratio"] = ("<=", GOAL_SMALL)
            goals[f"{what}_{inputs.sizes[-1]}_ray_ratio"] = ("<=", GOAL_LARGE)
    finish("scale", figures, goals)


if __name__ == "__main__":
    main()
