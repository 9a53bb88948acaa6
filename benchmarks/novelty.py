"""Novelty: the decisions of rouge_score, and what one costs beside Alpaca's way of coming to it.

    python benchmarks/novelty.py [--data ../shared/data] [--quick]

Decisions: Alpaca's 52,002 instructions in order, after each tenth one a variation of an earlier one (words of it
replaced, so that many fall close to the limit on either side), each judged against all that were accepted before it.
rouge_score over every one of them would take eleven hours; so every decision is compared with an exhaustive search by
rapidfuzz over the whole pool, and that search's best score with rouge_score's own over the whole pool, to the last
digit, for a random sample. Cost: the same candidates against the same pools, ours and Alpaca's (one process,
`rouge_scorer._score_lcs` over all token lists, which it keeps), in turns. The pool of 100,000 is filled up with first
sentences of Alpaca's outputs; the candidates that are timed are the variations.
"""

import argparse
import gzip
import random
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import orjson
from common import finish
from rapidfuzz import process
from rapidfuzz.distance import LCSseq
from rouge_score import rouge_scorer, tokenize

from curation.generate.novelty import Pool, rouge_l

LIMIT = 0.7
SIZES = (1_000, 10_000, 52_000, 100_000)
VARIED = 10
"""One variation for this many instructions."""


class Scale(NamedTuple):
    """How much is measured."""

    instructions: int
    checked: int
    """Decisions whose best score rouge_score is asked for as well."""
    sizes: Sequence[int]
    ours: int
    """Candidates timed against each pool, our way."""
    alpacas: int
    """Of these, candidates timed Alpaca's way."""


FULL = Scale(52_002, 300, SIZES, 2_000, 12)
QUICK = Scale(4_000, 40, (1_000, 10_000, 52_000), 500, 2)


def main() -> None:
    """Compare decisions, then time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    scale = QUICK if args.quick else FULL
    with gzip.open(args.data / "alpaca_52k.jsonl.gz") as file:
        rows = [orjson.loads(line) for line in file]
    instructions = [row["instruction"] for row in rows]
    figures = decisions(with_variations(instructions[: scale.instructions]), scale.checked)
    texts = [*instructions, *(row["output"].partition(". ")[0][:300] for row in rows)]
    figures |= costs(texts, with_variations(instructions)[VARIED :: VARIED + 1], scale)
    finish(
        "novelty",
        figures,
        {
            "decisions_that_differ": ("<=", 0),
            "scores_that_differ": ("<=", 0),
            "times_faster_52000": (">=", 1000),
            f"p99_ms_{scale.sizes[-1]}": ("<=", 1),
        },
    )


def with_variations(instructions: Sequence[str]) -> list[str]:
    """Put a variation of an earlier instruction after every tenth: some of its words are replaced by others' words."""
    chance, varied = random.Random(1), []
    for at, text in enumerate(instructions):
        varied.append(text)
        if at % VARIED == VARIED - 1:
            words, other = chance.choice(instructions[: at + 1]).split(), chance.choice(instructions[: at + 1]).split()
            share = chance.uniform(0.1, 0.6)
            varied.append(" ".join(chance.choice(other or [""]) if chance.random() < share else word for word in words))
    return varied


def decisions(candidates: Sequence[str], checked: int) -> dict[str, float]:
    """Judge every candidate our way and exhaustively; returns in how many cases the two differ."""
    pool, accepted, texts = Pool(), list[str](), list[str]()
    sample = set(random.Random(2).sample(range(len(candidates)), checked))
    figures = {"candidates": len(candidates), "rejected": 0, "decisions_that_differ": 0, "scores_that_differ": 0}
    figures["checked_with_rouge_score"] = checked
    for at, text in enumerate(candidates):
        codes = pool.encode(text)
        near, exhaustive = pool.nearest(codes), best_of_all(codes, accepted)
        ours = near.score if near else 0.0
        figures["scores_that_differ"] += ours != exhaustive
        figures["decisions_that_differ"] += (ours > LIMIT) != (exhaustive > LIMIT)
        if at in sample:
            figures["scores_that_differ"] += exhaustive != best_by_rouge_score(text, texts)
        if ours > LIMIT:
            figures["rejected"] += 1
        else:
            pool.add(codes)
            accepted.append(codes)
            texts.append(text)
    differ = figures["decisions_that_differ"]
    print(f"{len(candidates):,} candidates, {figures['rejected']:,} rejected; {differ} decided otherwise by all pairs")
    return dict(figures)


def best_of_all(codes: str, accepted: Sequence[str]) -> float:
    """Return the best score by comparing with every text of the pool, bit-parallel."""
    if not accepted or not codes:
        return 0.0
    common = process.cdist([codes], accepted, scorer=LCSseq.similarity, dtype=np.int32)[0]
    lengths = np.fromiter(map(len, accepted), dtype=np.int32, count=len(accepted))
    scores = common / (lengths + len(codes))
    close = np.flatnonzero(scores >= scores.max() - 1e-9)
    return max(rouge_l(int(common[at]), len(codes), int(lengths[at])) for at in close)


def best_by_rouge_score(text: str, texts: Sequence[str]) -> float:
    """Return the best score by rouge_score itself."""
    words = tokenize.tokenize(text, None)
    scores = (rouge_scorer._score_lcs(tokenize.tokenize(one, None), words).fmeasure for one in texts)  # noqa: SLF001  # what Alpaca calls
    return max(scores, default=0.0)


def costs(texts: Sequence[str], candidates: Sequence[str], scale: Scale) -> dict[str, float]:
    """Time candidates against pools of each size, ours and Alpaca's in turns."""
    figures: dict[str, float] = {}
    chosen = random.Random(3).sample(list(candidates), min(scale.ours, len(candidates)))
    print(f"{'pool':>8} {'ours, median':>14} {'ours, p99':>12} {'Alpaca, median':>15} {'times':>8}")
    for size in scale.sizes:
        ours, theirs = both_ways(texts[:size], chosen, scale.alpacas)
        mine, other = statistics.median(ours), statistics.median(theirs)
        p99 = float(np.percentile(ours, 99))
        print(f"{size:>8,} {mine:>11.3f} ms {p99:>9.3f} ms {other:>12.1f} ms {other / mine:>8,.0f}")
        figures |= {f"ours_ms_{size}": mine, f"p99_ms_{size}": p99, f"alpaca_ms_{size}": other}
        figures[f"times_faster_{size}"] = other / mine
    return figures


def both_ways(texts: Sequence[str], candidates: Sequence[str], alpacas: int) -> tuple[list[float], list[float]]:
    """Return milliseconds a candidate, ours and Alpaca's, measured in turns."""
    pool = Pool()
    for text in texts:
        pool.add(pool.encode(text))
    kept = [tokenize.tokenize(text, None) for text in texts]
    ours, theirs = list[float](), list[float]()
    step = -(-len(candidates) // alpacas)
    for start in range(0, len(candidates), step):
        ours += [milliseconds(lambda text: pool.nearest(pool.encode(text)), one) for one in candidates[start:][:step]]
        theirs.append(milliseconds(lambda text: alpacas_way(text, kept), candidates[start]))
    return ours, theirs


def alpacas_way(text: str, kept: Sequence[list[str]]) -> float:
    """Score a candidate as Alpaca does, in one process."""
    words = tokenize.tokenize(text, None)
    scores = [rouge_scorer._score_lcs(words, one).fmeasure for one in kept]  # noqa: SLF001  # what it calls
    return float(max(scores))


def milliseconds(work: Callable[[str], object], text: str) -> float:
    """Return how long something takes."""
    started = time.perf_counter()
    work(text)
    return 1000 * (time.perf_counter() - started)


if __name__ == "__main__":
    main()
