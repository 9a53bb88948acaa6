"""Draws pairs of records by how alike they are, for people to label."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from curation.dedupe.pool import Pool
from curation.dedupe.semantic import Pairs
from curation.dedupe.stage import Dedupe
from schemas.errors import InputError
from schemas.outcome import SILENT, Aside
from schemas.record import InstructionRecord
from schemas.step import StepDirectory

EDGES = (0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.975)
"""Lower edges of the bins; the last goes up to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawPairs:
    """A sample of pairs to draw."""

    n: int = 20
    """Pairs in each bin; all, where there are fewer."""
    seed: int = 1
    """Names the shuffle: the same seed draws the same pairs."""
    encoder: str = "minilm"
    """A name in `ENCODERS`, or a sentence-transformers model by path or Hub id."""


def pair_lines(step: StepDirectory, draw: DrawPairs, *, aside: Aside = SILENT) -> list[dict[str, Any]]:
    """Return the drawn pairs as the lines that people edit: the label is null.

    What dedupe thinks of a pair is left out, so that nobody is led.

    Raises:
        InputError: no two records are alike enough to be drawn.
    """
    stage = Dedupe(encoder=draw.encoder)
    pool = stage.pool(step.records())
    pairs = stage.comparison(aside).pairs([prompt.text for prompt in pool.prompts], EDGES[0])
    if not len(pairs.first):
        raise InputError(place=step.path, expected=f"two prompts with a cosine of {EDGES[0]:g}", found="none")
    drawn = {"encoder": draw.encoder, "fingerprint": step.manifest.fingerprint, "seed": draw.seed}
    return [{**line, "drawn": drawn} for line in _lines(pool, pairs, draw)]


def _lines(pool: Pool, pairs: Pairs, draw: DrawPairs) -> Iterator[dict[str, Any]]:
    best = dict(reversed([(pool.of[row], row) for row in pool.order]))
    bins = np.searchsorted(EDGES, pairs.scores, side="right") - 1
    for number, edge in enumerate(EDGES):
        members = np.flatnonzero(bins == number)
        rows = [(best[int(pairs.first[at])], best[int(pairs.second[at])], float(pairs.scores[at])) for at in members]
        for row, other, cosine in _first(pool, rows, draw):
            yield {
                "label": None,
                "note": "",
                "cosine": cosine,
                "a": _shown(pool[row]),
                "b": _shown(pool[other]),
                "bin": edge,
                "of": len(rows),
            }


def _first(pool: Pool, rows: Sequence[tuple[int, int, float]], draw: DrawPairs) -> list[tuple[int, int, float]]:
    """Return a simple random sample that depends on the seed and the records alone."""

    def place(pair: tuple[int, int, float]) -> bytes:
        keys = sorted((pool.keys[pair[0]], pool.keys[pair[1]]))
        return hashlib.sha256(b":".join([str(draw.seed).encode(), *keys])).digest()

    return sorted(rows, key=place)[: draw.n]


def _shown(record: InstructionRecord) -> dict[str, str]:
    return {name: getattr(record, name) for name in ("id", "instruction", "context", "response")}
