"""Which record asks most nearly the same as another: cosines of sentence embeddings of the prompts."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from schemas.models import resolve
from schemas.outcome import SILENT, Aside
from schemas.record import InstructionRecord

ENCODER = "minilm"
"""The sentence encoder that this project brings along."""
AT_ONCE = 256
"""Prompts embedded, and rows compared with all others, at a time."""


class Neighbour(NamedTuple):
    """The nearest other record of one."""

    of: int
    """The record's place."""
    other: int
    """The neighbour's place."""
    cosine: float


def nearest(records: Sequence[InstructionRecord], floor: float, aside: Aside = SILENT) -> list[Neighbour]:
    """Return the nearest other one of each of two or more records, where its cosine is at least `floor`."""
    vectors = _embedded([f"{one.instruction}\n{one.context}".strip() for one in records], aside)
    found = []
    for first in range(0, len(vectors), AT_ONCE):
        cosines = vectors[first : first + AT_ONCE] @ vectors.T
        own = torch.arange(len(cosines))
        cosines[own, own + first] = -1.0
        best, places = cosines.max(1)
        near = zip(best.tolist(), places.tolist(), strict=True)
        found += [Neighbour(first + at, place, cosine) for at, (cosine, place) in enumerate(near) if cosine >= floor]
    return found


def _embedded(texts: Sequence[str], aside: Aside) -> Float[Tensor, "records dimensions"]:
    model, parts = _encoder(), []
    for first in range(0, len(texts), AT_ONCE):
        part = texts[first : first + AT_ONCE]
        parts.append(model.encode(list(part), normalize_embeddings=True, convert_to_tensor=True).float().cpu())
        aside.progress("embedding prompts", min(first + AT_ONCE, len(texts)), len(texts))
    return torch.cat(parts)


def _encoder() -> Any:
    from sentence_transformers import SentenceTransformer  # heavy

    return SentenceTransformer(resolve(ENCODER).path)
