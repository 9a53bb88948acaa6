"""Random draws that are a function of where they are made: the same place, the same draw, whatever came before.

A stream of random numbers would make each draw depend on all before it: a resumed run, or one with another number of
threads, would show the model other examples.
"""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def draw(items: Sequence[T], count: int, *place: int | str) -> list[T]:
    """Return `count` different items (all of them, if there are fewer) in random order, decided by `place` alone."""
    count = min(count, len(items))
    chosen: dict[int, None] = {}
    number = 0
    while len(chosen) < count:
        chosen[_number(number, place) % len(items)] = None
        number += 1
    return [items[at] for at in chosen]


def uniform(*place: int | str) -> float:
    """Return a number between 0 and 1, neither of them, decided by `place` alone."""
    return ((_number(0, place) >> 12) + 0.5) / (1 << 52)


def _number(counter: int, place: tuple[int | str, ...]) -> int:
    return int.from_bytes(hashlib.sha256(repr((counter, *place)).encode()).digest()[:8])
