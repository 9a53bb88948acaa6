"""Difficulty (IFD) of Alpaca rows: ours against the plain loop that the papers' scripts are, in the same run.

The peer takes one text at a time and two passes a record, all of the vocabulary at every position, in fp32. Ours is
measured as it runs by default (bf16 where the processor has it), and in fp32, where both ratios have to be equal to the
peer's. What bf16 changes is said, too: the greatest difference, and the correlation of the ranks.
"""

import argparse
import gc
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from common import finish
from rows import records
from scipy.stats import spearmanr

from curation.score.cache import Measured
from curation.score.difficulty import BATCH_TOKENS, Difficulty
from curation.score.parts import Part, measure
from curation.score.reading import Read, Reader, reader
from schemas.losses import losses_of
from schemas.prompt import TEMPLATES
from schemas.record import InstructionRecord
from schemas.weights import find_base, load_model, load_tokenizer

MODEL, TEMPLATE = "smollm2-135m", "dolly-v1"
ROWS, QUICK_ROWS = 400, 24
ROUNDS = 2
DRAWN_FROM = 20_000


def main() -> None:
    """Measure, A B A B, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    pool = drawn(args.data / "alpaca_52k.jsonl.gz", QUICK_ROWS if args.quick else ROWS)
    base = find_base(MODEL)
    texts = reader(load_tokenizer(base), TEMPLATES[TEMPLATE])
    read = texts.read(pool)
    dtype = Difficulty(model=MODEL, template=TEMPLATE, precision="auto", folder=None).dtype
    seconds: dict[str, list[float]] = {"plain": [], "ours": [], "fp32": []}
    found: dict[str, list[Measured]] = {}
    exact = load_model(base)
    fast = load_model(base, torch.bfloat16 if dtype == "bf16" else torch.float32)
    runs: dict[str, Callable[[], list[Measured]]] = {
        "plain": lambda: plainly(exact, read, texts),
        "ours": lambda: ours(fast, pool, read, texts),
        "fp32": lambda: ours(exact, pool, read, texts),
    }
    for number in range(1 if args.quick else ROUNDS):
        for name, run in runs.items():
            if name == "fp32" and number:
                continue
            started = time.perf_counter()
            found[name] = run()
            seconds[name].append(time.perf_counter() - started)
            print(f"{name:6} {len(pool):,} records in {seconds[name][-1]:.1f} s")
            gc.collect()
    report(pool, found, seconds, dtype)


def drawn(path: Path, count: int) -> list[InstructionRecord]:
    """Return records drawn by a seed, those without a response left out."""
    pool = [one for one in records(path, DRAWN_FROM) if one.response.strip()]
    return random.Random(1).sample(pool, count)


def ours(model: Any, pool: Sequence[InstructionRecord], read: Sequence[Read], texts: Reader) -> list[Measured]:
    """Measure as the stage does, without its cache."""
    forms = [one.context == "" for one in pool]
    return measure(losses_of(model, BATCH_TOKENS["cpu"]), Part(read, forms), texts.alone)


def plainly(model: Any, read: Sequence[Read], texts: Reader) -> list[Measured]:
    """Measure one text at a time by the model's own loss."""
    return [
        Measured(
            plain_loss(model, one.prompt, one.response),
            plain_loss(model, (texts.alone,), one.response),
            len(one.prompt),
            len(one.response),
        )
        for one in read
    ]


def plain_loss(model: Any, before: Sequence[int], counted: Sequence[int]) -> float:
    """Return the mean loss of the counted tokens."""
    ids = torch.tensor([[*before, *counted]])
    labels = ids.clone()
    labels[:, : len(before)] = -100
    with torch.inference_mode():
        return float(model(input_ids=ids, labels=labels).loss)


def ratios(found: Sequence[Measured]) -> tuple[list[float], list[float]]:
    """Return the loss ratios and the perplexity ratios."""
    plain = torch.tensor([(one.given, one.alone) for one in found], dtype=torch.float64)
    given, alone = plain[:, 0], plain[:, 1]
    return (given / alone).tolist(), (given - alone).exp().tolist()


def apart(one: Sequence[Measured], other: Sequence[Measured]) -> list[float]:
    """Return the greatest difference of each of the two ratios."""
    pairs = zip(ratios(one), ratios(other), strict=True)
    return [max(abs(a - b) for a, b in zip(*pair, strict=True)) for pair in pairs]


def report(
    pool: Sequence[object], found: dict[str, list[Measured]], seconds: dict[str, list[float]], dtype: str
) -> None:
    """Print the figures and their goals."""
    best = {name: sorted(times)[len(times) // 2] for name, times in seconds.items()}
    loss, perplexity = apart(found["fp32"], found["plain"])
    loss_fast, perplexity_fast = apart(found["ours"], found["plain"])
    print(f"ours by default multiplies in {dtype} here")
    print(f"greatest difference in fp32: loss ratio {loss:.2e}, perplexity ratio {perplexity:.2e}")
    print(f"greatest difference in {dtype}: loss ratio {loss_fast:.2e}, perplexity ratio {perplexity_fast:.2e}")
    figures = {
        "records": len(pool),
        "plain_records_per_s": len(pool) / best["plain"],
        "records_per_s": len(pool) / best["ours"],
        "times_as_fast": best["plain"] / best["ours"],
        "times_as_fast_fp32": best["plain"] / best["fp32"],
        "loss_ratio_apart_e4": loss * 1e4,
        "perplexity_ratio_apart_e4": perplexity * 1e4,
        "rank_correlation": float(spearmanr(ratios(found["ours"])[0], ratios(found["plain"])[0]).statistic),
    }
    goals = {
        "times_as_fast": (">=", 5.0),
        "loss_ratio_apart_e4": ("<=", 1.0),
        "perplexity_ratio_apart_e4": ("<=", 1.0),
        "rank_correlation": (">=", 0.99),
    }
    finish("difficulty", figures, goals)


if __name__ == "__main__":
    main()
