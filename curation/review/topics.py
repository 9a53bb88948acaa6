"""A map of topics: every row gets a place in the plane and a topic, from the vectors that dedupe compared it by.

Rows are grouped by spherical k-means around a few hundred landmarks; the landmarks are laid out by t-SNE (van der
Maaten and Hinton, 2008), exact, because they are few; every row stands between the landmarks that are most like it. So
the map of fifty thousand rows takes seconds. Distances on it mean little; who stands together means much.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curation.embedding.encoder import Vectors

LANDMARKS, TOPICS = 256, 24
"""Most landmarks, and most topics; fewer where there are few rows."""
ROUNDS = 12
"""Rounds of k-means."""
LEARNT_FROM = 12_000
"""Rows that the landmarks are learnt from."""
PERPLEXITY = 12.0
"""How many neighbours a landmark has, about."""
STEPS, EARLY = 500, 100
"""Steps of t-SNE, and those of them that pull four times as hard, so that groups find together."""
NEAREST = 4
"""Landmarks between which a row stands."""
SHARP = 24.0
"""How much more the likest of them pulls."""
LABEL_WORDS = 3

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]

_WORD = re.compile(r"[^\W\d_]{4,}")
_PLAIN_WORDS = (
    "that this with from what give given following have your some will would could which about into more than does "
    "when they them their there these those then write create generate describe explain provide name list make "
    "find using based input output sentence text each example identify please tell"
)
_PLAIN = frozenset(_PLAIN_WORDS.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicMap:
    """A place and a topic for every row."""

    xy: Numbers
    """Shape (rows, 2), from 0 to 1."""
    topic: Places
    """The number of each row's topic, from 0."""
    labels: tuple[str, ...]
    """Each topic's most telling words."""


def topic_map(texts: Sequence[str], vectors: Vectors, seed: int = 1) -> TopicMap:
    """Lay out rows by their unit vectors, shape (rows, dimensions)."""
    chance = np.random.default_rng(seed)
    landmarks = kmeans(vectors, min(LANDMARKS, max(1, len(vectors) // 4)), chance)
    groups = kmeans(landmarks, min(TOPICS, max(1, len(landmarks) // 6)), chance)
    xy = _between(vectors, landmarks, tsne(landmarks, chance))
    topic = _likest(landmarks, groups)[_likest(vectors, landmarks)]
    return TopicMap(xy=_scaled(xy), topic=topic, labels=tuple(topic_labels(texts, topic, len(groups))))


def kmeans(vectors: Vectors, k: int, chance: np.random.Generator) -> Vectors:
    """Return `k` unit vectors around which the others lie."""
    some = vectors[chance.permutation(len(vectors))[:LEARNT_FROM]]
    centres = some[:k].copy()
    for _ in range(ROUNDS):
        mine = _likest(some, centres)
        sums = np.zeros_like(centres)
        np.add.at(sums, mine, some)
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        centres = np.where(lengths > 0, sums / np.maximum(lengths, 1e-12), centres)
    return centres


def _likest(vectors: Vectors, centres: Vectors) -> Places:
    """Return the place of each vector's likest centre."""
    parts = [np.argmax(vectors[at : at + 4096] @ centres.T, axis=1) for at in range(0, len(vectors), 4096)]
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def tsne(vectors: Vectors, chance: np.random.Generator) -> Numbers:
    """Lay out a few hundred unit vectors in the plane, shape (vectors, 2)."""
    n = len(vectors)
    place: Numbers = 1e-2 * chance.standard_normal((n, 2))
    if n < 3:  # noqa: PLR2004  # two points have no shape
        return place
    wanted = _likeness(2 - 2 * (vectors @ vectors.T).astype(float), min(PERPLEXITY, (n - 1) / 3))
    speed, gain = np.zeros_like(place), np.ones_like(place)
    rate = max(10.0, n / 12)
    for step in range(STEPS):
        pull = _gradient(place, wanted * (4 if step < EARLY else 1))
        gain = np.where(np.sign(pull) == np.sign(speed), gain * 0.8, gain + 0.2).clip(0.01)
        speed = (0.5 if step < EARLY else 0.8) * speed - rate * gain * pull
        place = place + speed
    centred: Numbers = place - place.mean(0)
    return centred


def _gradient(place: Numbers, wanted: Numbers) -> Numbers:
    apart = place[:, None] - place[None]
    near = 1 / (1 + np.square(apart).sum(2))
    np.fill_diagonal(near, 0)
    pull = (wanted - near / near.sum()) * near
    gradient: Numbers = 4 * np.einsum("ij,ijk->ik", pull, apart)
    return gradient


def _likeness(squares: Numbers, perplexity: float) -> Numbers:
    """Return the joint probabilities of t-SNE: each row's width is searched for so that it has so many neighbours."""
    np.fill_diagonal(squares, np.inf)
    rows = np.stack([_row(row, perplexity) for row in squares])
    both: Numbers = np.maximum((rows + rows.T) / (2 * len(rows)), 1e-12)
    return both


def _row(squares: Numbers, perplexity: float) -> Numbers:
    low, high = 0.0, np.inf
    beta, row = 1.0, np.zeros_like(squares)
    for _ in range(50):
        row = np.exp(-beta * (squares - squares.min()))
        row /= row.sum()
        entropy = -(row[row > 0] * np.log(row[row > 0])).sum()
        if abs(entropy - np.log(perplexity)) < 1e-5:  # noqa: PLR2004  # close enough for a picture
            break
        low, high = (beta, high) if entropy > np.log(perplexity) else (low, beta)
        beta = beta * 2 if high == np.inf else (low + high) / 2
    return row


def _between(vectors: Vectors, landmarks: Vectors, places: Numbers) -> Numbers:
    """Put each row between the landmarks that are most like it."""
    nearest = min(NEAREST, len(landmarks))
    found = []
    for at in range(0, len(vectors), 4096):
        like = vectors[at : at + 4096] @ landmarks.T
        top = np.argpartition(-like, nearest - 1, axis=1)[:, :nearest]
        pull = np.exp(SHARP * np.take_along_axis(like, top, 1).astype(float))
        pull /= pull.sum(1, keepdims=True)
        found.append((pull[:, :, None] * places[top]).sum(1))
    return np.concatenate(found) if found else np.zeros((0, 2))


def _scaled(xy: Numbers) -> Numbers:
    """Return the places between 0 and 1, the longer side filling it."""
    if not len(xy):
        return xy
    size = float((xy.max(0) - xy.min(0)).max()) or 1.0
    return np.asarray((xy - xy.min(0)) / size)


def topic_labels(texts: Sequence[str], topic: Places, topics: int) -> list[str]:
    """Return each topic's words that are common in it and rare elsewhere."""
    words = [Counter[str]() for _ in range(topics)]
    for text, number in zip(texts, topic, strict=True):
        words[number].update({word for word in _WORD.findall(text.casefold()) if word not in _PLAIN})
    sizes = np.bincount(topic, minlength=topics)
    everywhere = sum(words, Counter[str]())
    return [_label(mine, int(size), everywhere, len(texts)) for mine, size in zip(words, sizes, strict=True)]


def _label(mine: Counter[str], size: int, everywhere: Counter[str], rows: int) -> str:
    def telling(word: str) -> float:
        inside = mine[word] / size
        return inside * float(np.log((inside + 1e-9) / (everywhere[word] / rows)))

    best = sorted(mine, key=lambda word: (-telling(word), word))[:LABEL_WORDS]
    return ", ".join(best) or "other"
