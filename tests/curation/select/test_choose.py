"""The greedy choice: by rank, within the budget, nobody too alike, each category with its part."""

from collections import Counter
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from curation.select.choose import Like, Offer, choose, most_alike


def offer(costs: list[int], groups: str = "", pairs: Iterable[tuple[int, int]] = ()) -> Offer:
    """Return an offer in which these pairs are too alike."""
    near = {*pairs, *((b, a) for a, b in pairs)}
    return Offer(
        costs=costs,
        groups=list(groups or "a" * len(costs)),
        alike=lambda rank: [Like(b, 0.95) for a, b in sorted(near) if a == rank],
    )


def test_the_best_are_taken_until_the_budget_is_spent() -> None:
    """By rank alone, where nothing else speaks."""
    assert choose(offer([1] * 5), 3, 0.0) == {0, 1, 2}


def test_what_is_too_like_a_chosen_one_is_passed_over() -> None:
    """The next best comes in its place; likeness to one that was not chosen does not count."""
    assert choose(offer([1] * 5, pairs=[(0, 1), (1, 2)]), 3, 0.0) == {0, 2, 3}


def test_one_that_does_not_fit_is_passed_over_for_a_smaller_one() -> None:
    """A budget of tokens is filled."""
    assert choose(offer([5, 9, 4]), 10, 0.0) == {0, 2}


def test_each_category_has_its_part_though_its_scores_are_low() -> None:
    """Six of a kind rank first; the others, a third of all, get half of a third of six: one."""
    groups = "aaaaaabbb"

    assert Counter(groups[rank] for rank in choose(offer([1] * 9, groups), 6, 0.5)) == {"a": 5, "b": 1}
    assert Counter(groups[rank] for rank in choose(offer([1] * 9, groups), 6, 1.0)) == {"a": 4, "b": 2}
    assert Counter(groups[rank] for rank in choose(offer([1] * 9, groups), 6, 0.0)) == {"a": 6}


def test_of_several_that_are_alike_the_most_alike_is_named() -> None:
    """Of equals the better one."""
    some = Offer(costs=[1] * 4, groups=["a"] * 4, alike=lambda _: [Like(0, 0.91), Like(1, 0.97), Like(2, 0.97)])

    assert most_alike(some, 3, {0, 1, 2}) == Like(1, 0.97)
    assert most_alike(some, 3, {3}) is None


@given(
    costs=st.lists(st.integers(1, 9), min_size=1, max_size=12),
    pairs=st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=12),
    groups=st.text("abc", min_size=12, max_size=12),
    budget=st.integers(1, 40),
    floor=st.sampled_from([0.0, 0.5, 1.0]),
)
def test_the_law_of_choice(
    costs: list[int], pairs: list[tuple[int, int]], groups: str, budget: int, floor: float
) -> None:
    """Within the budget, no two alike; who is left out is too like a chosen one, or would not have fitted."""
    pairs = [(a, b) for a, b in pairs if a != b and max(a, b) < len(costs)]
    some = offer(costs, groups[: len(costs)], pairs)

    chosen = choose(some, budget, floor)

    spent = sum(costs[rank] for rank in chosen)
    assert spent <= budget
    assert not [1 for a, b in pairs if {a, b} <= chosen]
    assert all(
        most_alike(some, rank, chosen) or spent + costs[rank] > budget for rank in set(range(len(costs))) - chosen
    )
