"""Whose turn it is: which strategy makes a round's next request, and for which category.

Both are a function of the turn's number and of what earlier rounds kept, so that a resumed run, at any concurrency,
comes to the same turns. Strategies take the share of requests that the mix gives them. Of a strategy's categories the
one comes next that has kept the least of its share so far: what counts is records, not requests. One that yields little
is asked for at most twice its share, so that it cannot starve the others.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from curation.generate.bandit import in_turn, shares_of
from curation.generate.strategies.shape import Shelf, Strategy, Turn
from schemas.errors import InputError

WHOLE = 100
AT_MOST = 2
"""Times its share that a category may be asked for in a round."""


class Turns(Protocol):
    """Decides whose turn it is."""

    def turns(self, shelf: Shelf) -> Iterator[tuple[Strategy, Turn]]:
        """Yield the turns of a round, in order."""

    def shares(self, shelf: Shelf) -> Mapping[str, float]:
        """Return the shares (0 to 1) of a round that were decided for it; none where they stand from the beginning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The strategies of a run, and what they are to share."""

    strategies: Mapping[str, Strategy]
    mix: Mapping[str, int]
    """Strategy → its share of the requests, in any unit; where `auto`, of the first round's."""
    round_size: int
    """Requests for instructions in a round."""
    quotas: Mapping[str, int] = field(default_factory=dict)
    """Category → percent of the records; the categories that are not named share the rest equally."""
    auto: bool = False
    """Whether shares follow from what strategies bring in for what they cost."""
    seed: int = 1
    """Decides, with that, the shares."""

    def shares(self, shelf: Shelf) -> Mapping[str, float]:
        """Return the shares of a round that follow from earlier ones."""
        if not self.auto:
            return {}
        if not shelf.round:
            return {name: share / sum(self.mix.values()) for name, share in self.mix.items()}
        return shares_of(list(self.mix), shelf.yields, self.seed, shelf.round, "shares")

    def turns(self, shelf: Shelf) -> Iterator[tuple[Strategy, Turn]]:
        """Yield the turns of a round, in order."""
        planned: Counter[str] = Counter()
        for ordinal, (name, number) in enumerate(self._strategies(shelf)):
            strategy = self.strategies[name]
            category = self._category(strategy.categories(shelf.seeds), planned, shelf)
            planned[category] += 1
            yield strategy, Turn(round=shelf.round, ordinal=ordinal, number=number, category=category)

    def _strategies(self, shelf: Shelf) -> Iterator[tuple[str, int]]:
        """Yield the strategy of each turn of a round, and how many it had before."""
        first = shelf.round * self.round_size
        if not self.auto:
            yield from map(self._strategy_at, range(first, first + self.round_size))
            return
        had = Counter({name: seen.turns for name, seen in shelf.yields.items()})
        for name in in_turn(self.shares(shelf), first, self.round_size):
            yield name, had[name]
            had[name] += 1

    def _strategy_at(self, turn: int) -> tuple[str, int]:
        """Return the strategy of a turn of the run, and how many it had before."""
        cycle = _cycle(self.mix)
        times, at = divmod(turn, len(cycle))
        name = cycle[at]
        return name, times * cycle.count(name) + cycle[:at].count(name)

    def _category(self, categories: Sequence[str], planned: Mapping[str, int], shelf: Shelf) -> str:
        if not categories:
            return ""
        share = self.targets(categories)
        kept = {category: len(shelf.made.get(category, ())) for category in categories}
        a_turn = _kept_by_a_turn(shelf, self.round_size)

        def standing(category: str) -> tuple[bool, float]:
            most = math.ceil(AT_MOST * share[category] * self.round_size)
            has = kept[category] + a_turn * planned[category]
            return planned[category] >= most, has / share[category]

        return min((one for one in categories if share[one]), key=standing)

    def targets(self, categories: Sequence[str]) -> dict[str, float]:
        """Return the share (0 to 1) of each of a strategy's categories."""
        named = {one: self.quotas[one] for one in categories if one in self.quotas}
        others = len(categories) - len(named)
        left = max(0, WHOLE - sum(self.quotas.values()))
        shares = {one: float(named.get(one, left / others if others else 0)) for one in categories}
        whole = sum(shares.values())
        return {one: share / whole if whole else 1 / len(categories) for one, share in shares.items()}


def parse_shares(text: str, setting: str) -> dict[str, int]:
    """Read `a:60,b:25`; a name alone has the share 1, and a share may have a percent sign.

    Raises:
        InputError: a share that is no number of 1 or more, or a name that stands twice.
    """
    shares: dict[str, int] = {}
    for part in text.split(","):
        name, colon, share = (piece.strip() for piece in part.partition(":"))
        number = share.removesuffix("%").strip() if colon else "1"
        if not name or name in shares or not number.isascii() or not number.isdigit() or not int(number):
            raise InputError(place="generate", field=setting, expected="NAME:SHARE,…", found=repr(text))
        shares[name] = int(number)
    return shares


def parse_quotas(text: str, categories: Sequence[str]) -> dict[str, int]:
    """Read `brainstorming:10%,open_qa:30%`; empty: no quota.

    Raises:
        InputError: a category that no seed has, or more than the whole.
    """
    quotas = parse_shares(text, "quota") if text else {}
    unknown = next((name for name in quotas if name not in categories), None)
    if unknown is not None:
        known = f"one of {', '.join(categories)}"
        raise InputError(place="generate", field="quota", expected=known, found=unknown)
    if sum(quotas.values()) > WHOLE:
        found = f"{sum(quotas.values())} %"
        raise InputError(place="generate", field="quota", expected=f"{WHOLE} % at most, together", found=found)
    return quotas


def _cycle(shares: Mapping[str, int]) -> list[str]:
    """Return the order in which strategies take turns, over and over: each as evenly spread as its share allows."""
    unit = math.gcd(*shares.values())
    whole = sum(shares.values()) // unit
    order: list[str] = []
    for at in range(1, whole + 1):
        order.append(max(shares, key=lambda name: at * shares[name] / unit / whole - order.count(name)))
    return order


def _kept_by_a_turn(shelf: Shelf, round_size: int) -> float:
    """Return how many records a turn has kept on average."""
    turns, kept = shelf.round * round_size, sum(map(len, shelf.made.values()))
    return kept / turns if turns and kept else 1.0
