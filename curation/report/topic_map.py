"""A map of the rows: instructions as vectors, drawn along the two directions in which they differ most.

Principal components, because they need nothing but numpy and give the same picture every time. They show clumps and
holes; how far apart two points are is no measure of how alike they are, since two directions hold little of it.
"""

import numpy as np
from numpy.typing import NDArray

from curation.embedding import embeddings_folder, open_encoder
from curation.embedding.cache import CachedEncoder
from curation.report.numbers import Point, TopicMap
from curation.report.profile import texts_of
from curation.review.sampling import Sample
from schemas.chain import Chain

MOST = 1500
"""Rows that are shown; more would only cover each other."""
LABEL_MOST = 90
"""Characters of an instruction that its point shows."""


def topic_map(chain: Chain, encoder: str, seed: int) -> TopicMap | None:
    """Return the map of the rows of a run, kept and rejected in their true proportion; None of fewer than three."""
    drawn = _drawn(chain, seed)
    if len(drawn) < 3:  # noqa: PLR2004  # two points are no map
        return None
    opened = open_encoder(encoder)
    cached = CachedEncoder(encoder=opened, folder=embeddings_folder()) if opened.costly else opened
    places, explained = two_directions(np.asarray(cached.encode([text for _, _, text in drawn]), dtype=np.float64))
    points = (
        Point(id=name, x=round(float(x), 4), y=round(float(y), 4), fate=fate, label=" ".join(text.split())[:LABEL_MOST])
        for (name, fate, text), (x, y) in zip(drawn, places, strict=True)
    )
    return TopicMap(encoder=encoder, seed=seed, explained=round(explained, 4), points=tuple(points))


def two_directions(vectors: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Return each vector's place along the two principal directions, and the share of the variance that they hold."""
    centred = vectors - vectors.mean(axis=0)
    _, strengths, directions = np.linalg.svd(centred, full_matrices=False)
    # A direction's sign is the library's whim: the largest entry is made positive.
    signs = np.sign([row[np.argmax(np.abs(row))] for row in directions[:2]])
    places = centred @ (directions[:2] * signs[:, None]).T
    whole = float((strengths**2).sum())
    return places, float((strengths[:2] ** 2).sum()) / whole if whole else 0.0


def _drawn(chain: Chain, seed: int) -> list[tuple[str, str, str]]:
    """Return (id, fate, instruction) of the rows that are shown."""
    sample: Sample[tuple[str, str, str]] = Sample(MOST, seed)
    for record in chain.last.records():
        sample.offer(f"kept:{record.id}", (record.id, "kept", record.instruction))
    for step in chain.steps:
        for one in step.rejections():
            if text := texts_of(one.row).get("instruction", "").strip():
                sample.offer(f"rejected:{one.id}", (one.id, "rejected", text))
    return list(sample)
