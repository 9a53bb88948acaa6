"""What dedupe makes of pairs of records, each pair for itself, with all texts encoded at once."""

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from curation.dedupe.evidence import DIGITS, Evidence
from curation.dedupe.semantic import cosines
from curation.dedupe.stage import Dedupe
from schemas.outcome import SILENT, Aside
from schemas.record import InstructionRecord


class Verdict(NamedTuple):
    """What dedupe makes of a pair."""

    cosine: float
    """How alike the prompts are; 1 for exact duplicates."""
    same: bool
    """Whether it rejects one of the two, once the cosine reaches the threshold."""


def ask(
    stage: Dedupe, pairs: Sequence[tuple[InstructionRecord, InstructionRecord]], aside: Aside = SILENT
) -> list[Verdict]:
    """Return the verdict on each pair; none is given to a pair without a prompt."""
    pool = stage.pool(chain.from_iterable(pairs))
    comparison = stage.comparison(aside)
    vectors = comparison.encode([prompt.text for prompt in pool.prompts])
    prompts = np.asarray(pool.of, np.int32)
    scores = cosines(vectors, prompts[::2], prompts[1::2]).round(DIGITS).tolist()
    evidence = Evidence(pool, comparison.encode)
    while True:
        same = [evidence.same(row, row + 1, cosine) for row, cosine in zip(range(0, pool.size, 2), scores, strict=True)]
        if not evidence.gather():
            break
    exact = [pool.keys[row] == pool.keys[row + 1] for row in range(0, pool.size, 2)]
    return [
        Verdict(1.0, same=True) if copy else Verdict(cosine, same=alike or stage.verify == "none")
        for copy, cosine, alike in zip(exact, scores, same, strict=True)
    ]
