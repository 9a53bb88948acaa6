"""A map of the rows of a run, kept and rejected: the map of topics that the review has, of a sample."""

import numpy as np

from curation.embedding import embeddings_folder, open_encoder
from curation.embedding.cache import CachedEncoder
from curation.report.numbers import Point, TopicMap
from curation.report.profile import texts_of
from curation.review import topics
from curation.review.sampling import Sample
from schemas.chain import Chain

MOST = 1500
"""Rows that are shown; more would only cover each other."""
LABEL_MOST = 90
"""Characters of an instruction that its point shows."""


FEWEST = 3
"""Rows without which there is no map."""


def topic_map(chain: Chain, encoder: str, seed: int) -> TopicMap | None:
    """Return the map of the rows of a run, kept and rejected in their true proportion; None of too few."""
    drawn = _drawn(chain, seed)
    if len(drawn) < FEWEST:
        return None
    opened = open_encoder(encoder)
    cached = CachedEncoder(encoder=opened, folder=embeddings_folder()) if opened.costly else opened
    texts = [text for _, _, text in drawn]
    found = topics.topic_map(texts, np.asarray(cached.encode(texts)), seed)
    points = (
        Point(
            id=name,
            x=round(float(x), 4),
            y=round(float(y), 4),
            fate=fate,
            topic=int(topic),
            label=" ".join(text.split())[:LABEL_MOST],
        )
        for (name, fate, text), (x, y), topic in zip(drawn, found.xy, found.topic, strict=True)
    )
    return TopicMap(encoder=encoder, seed=seed, topics=found.labels, points=tuple(points))


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
