"""Draws that depend on nothing but where they are made."""

from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from curation.generate.draw import draw


@given(st.lists(st.integers(), unique=True, max_size=30), st.integers(0, 40), st.integers(), st.text(max_size=5))
@examples(deadline=None)
def test_a_draw_holds_different_items_and_as_many_as_there_are(
    items: list[int], count: int, seed: int, name: str
) -> None:
    """Never an item twice, never more than were given."""
    drawn = draw(items, count, seed, name)

    assert len(drawn) == len(set(drawn)) == min(count, len(items))
    assert set(drawn) <= set(items)


def test_the_same_place_draws_the_same() -> None:
    """What was drawn elsewhere in between does not matter, and neither does the process: these are fixed for good."""
    first = draw(range(100), 5, 1, 0, "human")
    draw(range(100), 50, 2)

    assert draw(range(100), 5, 1, 0, "human") == first == [0, 51, 3, 72, 1]


def test_other_places_draw_otherwise() -> None:
    """Over many places each item comes up about as often."""
    drawn = [draw(range(10), 1, seed, "x")[0] for seed in range(2000)]

    assert all(150 < drawn.count(item) < 250 for item in range(10))
