"""Samples are simple, seeded, and the same for any order."""

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from curation.review.sampling import Sample


def draw(keys: list[str], n: int, seed: int = 1) -> list[str]:
    """Return a sample of keys that are their own items."""
    sample: Sample[str] = Sample(n, seed)
    for key in keys:
        sample.offer(key, key)
    return list(sample)


@given(st.lists(st.text(max_size=3)), st.integers(0, 8), st.integers(), st.randoms(use_true_random=False))
def test_order_does_not_matter(keys: list[str], n: int, seed: int, chance: random.Random) -> None:
    """The same keys in any order give the same sample, each key once."""
    shuffled = list(keys)
    chance.shuffle(shuffled)

    found = draw(keys, n, seed)

    assert found == draw(shuffled, n, seed)
    assert len(found) == len(set(found)) == min(n, len(set(keys)))


@given(st.lists(st.text(max_size=3), unique=True), st.integers(1, 8))
def test_the_start_of_a_sample_is_a_sample(keys: list[str], n: int) -> None:
    """Whoever stops early has still seen a simple random sample."""
    assert draw(keys, n - 1) == draw(keys, n)[: n - 1]


def test_every_key_is_drawn_equally_often() -> None:
    """Over many seeds, 5 of 20 keys: each a quarter of the time."""
    keys = [f"{number:016x}" for number in range(20)]

    found = Counter(key for seed in range(2000) for key in draw(keys, 5, seed))

    assert all(430 < found[key] < 570 for key in keys)


def test_the_sample_of_a_seed_is_known() -> None:
    """A sample drawn today is the one that is drawn in ten years."""
    assert draw(list("abcdefgh"), 3, seed=7) == ["c", "e", "a"]
