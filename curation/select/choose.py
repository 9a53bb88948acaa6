"""Greedy choice under a budget: the best that fits, is not too like what was chosen, and leaves no category behind."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Like(NamedTuple):
    """A record that another one is too like."""

    rank: int
    cosine: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What there is to choose from, the best first: a record is called by its rank, from 0."""

    costs: Sequence[int]
    """What each takes of the budget."""
    groups: Sequence[str]
    """The category of each."""
    alike: Callable[[int], Iterable[Like]]
    """Rank → those that it may not stand beside."""


def choose(offer: Offer, budget: int, floor: float) -> set[int]:
    """Return the ranks that are chosen.

    First each category takes its best up to `floor` (0 to 1) times its share of the budget in proportion to its size;
    then the best of all categories take what is left. One that does not fit is passed over for a smaller one.
    """
    chosen: set[int] = set()
    floors = _floors(offer, budget, floor)
    spent = Counter[str]()
    for rank, (group, cost) in enumerate(zip(offer.groups, offer.costs, strict=True)):
        if spent[group] + cost <= floors[group] and most_alike(offer, rank, chosen) is None:
            chosen.add(rank)
            spent[group] += cost
    used = spent.total()
    for rank, cost in enumerate(offer.costs):
        if rank not in chosen and used + cost <= budget and most_alike(offer, rank, chosen) is None:
            chosen.add(rank)
            used += cost
    return chosen


def most_alike(offer: Offer, rank: int, chosen: set[int]) -> Like | None:
    """Return the chosen one that this one is most like, if it is too like any; of equals the better."""
    found = (one for one in offer.alike(rank) if one.rank in chosen)
    return max(found, key=lambda one: (one.cosine, -one.rank), default=None)


def _floors(offer: Offer, budget: int, floor: float) -> Mapping[str, int]:
    """Return what each category may spend before the others come in; they never come to more than the budget."""
    sizes = Counter[str]()
    for group, cost in zip(offer.groups, offer.costs, strict=True):
        sizes[group] += cost
    whole = sizes.total() or 1
    return {group: int(floor * budget * size / whole) for group, size in sizes.items()}
