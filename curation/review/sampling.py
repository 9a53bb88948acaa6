"""Draws simple random samples that depend on the seed and the ids alone: not on order, machine or Python version."""

import hashlib
from bisect import insort
from collections.abc import Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Sample(Generic[Item]):
    """A simple random sample of what is offered, one item a key, held in the order of the shuffle.

    The seed shuffles all possible keys once and for all; the sample is the first `n` of those that were offered. So the
    first half of a sample is a sample too, and data that changed a little keeps most of its sample.
    """

    def __init__(self, n: int, seed: int) -> None:
        self._n, self._seed = n, seed
        self._places: list[bytes] = []
        self._items: dict[bytes, Item] = {}

    def offer(self, key: str, item: Item) -> None:
        """Hold the item if its key is among the first `n`; of items with one key, the first offered is held."""
        place = hashlib.sha256(f"{self._seed}:{key}".encode()).digest()
        if place in self._items or (len(self._places) == self._n and (not self._n or place > self._places[-1])):
            return
        insort(self._places, place)
        self._items[place] = item
        if len(self._places) > self._n:
            del self._items[self._places.pop()]

    def __iter__(self) -> Iterator[Item]:
        """Yield the items in the order of the shuffle."""
        return (self._items[place] for place in self._places)

    def __len__(self) -> int:
        """Return how many items are held."""
        return len(self._places)
