"""Means of word embeddings: what they see, what they do not, and how far they agree with people."""

import json

import numpy as np
from numpy.typing import NDArray

from curation.dedupe.prompts import prompt_of
from curation.embedding import open_encoder
from curation.embedding.encoder import Vectors
from tests.support import pair, real_data

LEAST = 0.7
"""How often a duplicate of the labelled pairs must be more alike than a pair that is none; by chance 0.5."""


def cosines(name: str, ones: list[str], others: list[str]) -> Vectors:
    """Return the cosine of each pair."""
    encoder = open_encoder(name, "fp32")
    found: Vectors = (encoder.encode(ones) * encoder.encode(others)).sum(1)
    return found


def test_rare_words_count_for_more() -> None:
    """Who shares the subject is nearer than who shares the asking."""
    subject, asking = cosines(
        "static", ["What is a volcano?"] * 2, ["Volcano eruptions in the Pacific", "What is a fee?"]
    )

    assert subject > asking


def test_it_is_blind_to_the_order_of_words() -> None:
    """What it is not for."""
    assert cosines("static", ["The dog bites the man."], ["The man bites the dog."])[0] > 1 - 1e-6


def test_a_text_without_a_token_is_like_nothing_that_has_one() -> None:
    """Control characters are no words, and no reason to fail."""
    assert abs(cosines("static", ["\x01"], ["Name a river."])[0]) < 0.5


def test_it_ranks_labelled_pairs_better_than_chance_and_worse_than_a_model() -> None:
    """On pairs of Alpaca, drawn evenly over MiniLM's cosines; docs/dedupe.md says the figures."""
    rows = [json.loads(line) for line in real_data("duplicate_pairs.jsonl").read_bytes().splitlines()]
    same = np.array([row["label"] == "same" for row in rows])
    ones, others = (
        [prompt_of(pair(row[side]["instruction"], context=row[side]["input"])).text for row in rows] for side in "ab"
    )
    static, minilm = cosines("static", ones, others), np.array([row["minilm_cosine"] for row in rows])

    assert LEAST < ranked(static, same) < ranked(minilm, same)


def ranked(scores: Vectors, same: NDArray[np.bool_]) -> float:
    """Return how often a pair that is the same scores higher than one that is not (area under the ROC curve)."""
    return float((scores[same][:, None] > scores[~same]).mean())
