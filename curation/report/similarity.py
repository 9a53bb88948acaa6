"""How near the rows came to each other, by what the latest step that compared them left."""

from collections import Counter
from dataclasses import replace

from curation.report.counted import Histogram
from curation.report.profile import similarity_bin, similarity_histogram
from schemas.chain import Chain
from schemas.step import StepDirectory

THRESHOLDS = ("threshold", "semantic_threshold", "cosine")
"""What a dedupe step's setting for the decisive cosine may be called."""


def similarity_of(chain: Chain) -> Histogram | None:
    """Return the nearest-neighbour cosines of the latest step that left them."""
    for step in reversed(chain.steps):
        rejected: Counter[str] | None = None
        groups: dict[str, Counter[int]] = {"kept": Counter(), "rejected": Counter()}
        for row in step.rows("neighbours"):
            rejected = Counter(one.id for one in step.rejections()) if rejected is None else rejected
            # Equal records have equal ids: as many of them count as rejected as were.
            fate = "rejected" if rejected[row["id"]] > 0 else "kept"
            rejected[row["id"]] -= 1
            groups[fate][similarity_bin(float(row["cosine"]))] += 1
        if any(groups.values()):
            found = {name: counts for name, counts in groups.items() if counts}
            note = next((str(row["said"]) for row in step.rows("measured")), "")
            return replace(similarity_histogram(found, _threshold(step)), note=note)
    return None


def _threshold(step: StepDirectory) -> float | None:
    values = (step.manifest.config.get(name) for name in THRESHOLDS)
    return next((float(value) for value in values if isinstance(value, int | float)), None)
