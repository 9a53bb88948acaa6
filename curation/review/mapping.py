"""Makes the topic map of a review, and keeps it in the index."""

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from curation.dedupe.prompts import Prompt
from curation.embedding import embeddings_folder, open_encoder
from curation.embedding.cache import CachedEncoder
from curation.embedding.encoder import Vectors
from curation.review.index import texts_of
from curation.review.rows import VECTORS, Rows
from curation.review.topics import TopicMap, topic_map
from schemas.chain import Chain
from schemas.outcome import SILENT, Aside

DEDUPE = "dedupe"
ENCODER = "minilm"
GRID = 1000
"""Steps of a coordinate on the map."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicRow:
    """A topic, with its rows by fate."""

    topic: int
    label: str
    rows: int
    kept: int
    rejected: int
    reasons: Mapping[str, int]
    """Rejected rows by code, commonest first."""


def make_map(chain: Chain, rows: Rows, aside: Aside = SILENT, *, encoder: str = "", seed: int = 1) -> int:
    """Lay out every row that is or was a record; return how many. The encoder is dedupe's, whose vectors are cached."""
    places, texts = _prompts(rows)
    vectors = _vectors(texts, encoder or _encoder_of(chain), aside)
    aside.progress("lay out rows", 0, len(places))
    found = topic_map(texts, vectors, seed)
    _keep(rows, places, found)
    np.save(rows.path.with_name(VECTORS), vectors)
    aside.progress("lay out rows", len(places), len(places))
    return len(places)


def topic_rows(rows: Rows) -> list[TopicRow]:
    """Return the topics, largest first; none where no map was made."""
    labels = dict(rows.db.execute("SELECT topic, label FROM topics"))
    fates: dict[int, Counter[str]] = {topic: Counter() for topic in labels}
    for topic, fate, count in rows.db.execute(
        "SELECT topic, fate, count(*) FROM places JOIN items USING (pos) GROUP BY 1, 2"
    ):
        fates[topic][fate] = count
    reasons: dict[int, dict[str, int]] = {topic: {} for topic in labels}
    for topic, code, count in rows.db.execute(
        "SELECT topic, code, count(*) FROM places JOIN marks USING (pos) WHERE kind = 'reason' "
        "GROUP BY 1, 2 ORDER BY 3 DESC, 2"
    ):
        reasons[topic][code] = count
    found = [
        TopicRow(
            topic=topic,
            label=label,
            rows=fates[topic].total(),
            kept=fates[topic]["kept"],
            rejected=fates[topic]["rejected"],
            reasons=reasons[topic],
        )
        for topic, label in labels.items()
    ]
    return sorted(found, key=lambda one: (-one.rows, one.topic))


def map_points(rows: Rows) -> dict[str, list[int]]:
    """Return every row's place as whole numbers: x and y from 0 to GRID, topic, 1 for kept and 0 for rejected."""
    found: dict[str, list[int]] = {"pos": [], "x": [], "y": [], "topic": [], "kept": []}
    query = "SELECT pos, x, y, topic, fate = 'kept' FROM places JOIN items USING (pos) ORDER BY fate, pos"
    for pos, x, y, topic, kept in rows.db.execute(query):
        for name, value in (("pos", pos), ("x", x * GRID), ("y", y * GRID), ("topic", topic), ("kept", kept)):
            found[name].append(round(value))
    return found


def _prompts(rows: Rows) -> tuple[list[int], list[str]]:
    """Return the places of all rows that were records, and what they ask, as dedupe compares it."""
    found = rows.db.execute("SELECT pos FROM items WHERE prompt IS NOT NULL ORDER BY pos").fetchall()
    places = [pos for (pos,) in found]
    texts = (texts_of(rows.at(pos).outcome) for pos in places)
    return places, [Prompt(instruction.strip(), context.strip()).text for instruction, context, _ in texts]


def _encoder_of(chain: Chain) -> str:
    names = [step.manifest.config.get("encoder") for step in chain.steps if step.manifest.stage == DEDUPE]
    return str(names[-1]) if names else ENCODER


def _vectors(texts: Sequence[str], name: str, aside: Aside) -> Vectors:
    encoder = open_encoder(name)
    cached = CachedEncoder(encoder=encoder, folder=embeddings_folder()) if encoder.costly else encoder
    return cached.encode(texts, lambda done, total: aside.progress("embed prompts", done, total))


def _keep(rows: Rows, places: Sequence[int], found: TopicMap) -> None:
    with closing(sqlite3.connect(rows.path)) as db, db:
        db.execute("DELETE FROM places")
        db.execute("DELETE FROM topics")
        points = zip(places, found.xy.tolist(), found.topic.tolist(), strict=True)
        db.executemany("INSERT INTO places VALUES (?, ?, ?, ?)", ((pos, x, y, topic) for pos, (x, y), topic in points))
        for topic, label in enumerate(found.labels):
            mine = found.xy[found.topic == topic]
            x, y = mine.mean(0).tolist() if len(mine) else (0.5, 0.5)
            db.execute("INSERT INTO topics VALUES (?, ?, ?, ?)", (topic, label, x, y))
