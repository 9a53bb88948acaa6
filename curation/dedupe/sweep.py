"""What several thresholds would keep: texts are encoded and compared once."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from curation.dedupe.evidence import Evidence
from curation.dedupe.stage import Dedupe
from schemas.outcome import SILENT, Aside
from schemas.record import InstructionRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What one threshold would keep."""

    threshold: float
    kept: int
    exact: int
    """Exact duplicates rejected."""
    near: int
    """Near duplicates rejected."""


def sweep(
    stage: Dedupe, records: Iterable[InstructionRecord], thresholds: Sequence[float], *, aside: Aside = SILENT
) -> Iterator[Kept]:
    """Yield what each threshold would keep of the records, from the lowest threshold to the highest."""
    stages = [stage.at(threshold) for threshold in sorted(set(thresholds))]
    pool = stage.pool(records)
    comparison = stage.comparison(aside)
    pairs = comparison.pairs([prompt.text for prompt in pool.prompts], stages[0].threshold)
    evidence = Evidence(pool, comparison.encode)
    for one in stages:
        matches = one.decide(pool, pairs, evidence).values()
        exact = sum(match.cosine is None for match in matches)
        yield Kept(
            threshold=one.threshold,
            kept=pool.size - pool.held - len(matches),
            exact=exact,
            near=len(matches) - exact,
        )
