"""Decisions are taken group by group, and are those of all records from the best to the worst."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from curation.dedupe.decide import Likeness, Match, decide, linked
from curation.dedupe.pool import Pool, gather
from curation.dedupe.semantic import Pairs
from schemas.record import TEXT_FIELDS, InstructionRecord

ASKED = ("Name a red fruit.", "name a red  fruit.", "Say hello.", "Add 1 and 2.", "Sing.", "Jump up high.", "")
ANSWERS = ("Cherry.", "cherry.", "Yes, of course.")

rows = st.lists(st.tuples(st.sampled_from(ASKED), st.sampled_from(ANSWERS)), min_size=1, max_size=14)
pairs = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.sampled_from((0.88, 0.9, 0.95))), max_size=6)


def pool_of(texts: Sequence[tuple[str, str]], held: int = 0) -> Pool:
    """Take in records of these instructions and responses."""
    records = [InstructionRecord(instruction=asked, response=answer) for asked, answer in texts]
    return gather(records[:held], records[held:], TEXT_FIELDS)


def likeness_of(pool: Pool, links: Sequence[tuple[int, int, float]]) -> Likeness:
    """Link prompts, those of the numbers that there are."""
    many = len(pool.prompts)
    known = {(min(a, b), max(a, b)): cosine for a, b, cosine in links if a != b and max(a, b) < many}
    first, second = (np.array([pair[side] for pair in known], np.int32) for side in (0, 1))
    return Likeness.of(Pairs(first, second, np.array([*known.values()], float)), many)


def agree(row: int, other: int, _cosine: float) -> bool:
    """Say of some pairs that they ask for the same."""
    return (row + other) % 3 != 0


@given(rows, pairs, st.integers(1, 2), st.integers(0, 3))
def test_groups_decide_as_all_rows_together_do(
    texts: list[tuple[str, str]], links: list[tuple[int, int, float]], most: int, held: int
) -> None:
    """What a group decides does not hang on other groups."""
    pool = pool_of(texts, held)
    likeness = likeness_of(pool, links)
    apart: dict[int, Match] = {}
    for group in linked(pool, likeness):
        apart |= decide(group, pool, likeness, agree, most)
    assert apart == decide([*range(pool.held), *pool.order], pool, likeness, agree, most)


@given(rows, pairs, st.integers(0, 3))
def test_groups_hold_what_is_linked(
    texts: list[tuple[str, str]], links: list[tuple[int, int, float]], held: int
) -> None:
    """A group is whole, the best come first, and what stands alone or is only held is in none."""
    pool = pool_of(texts, held)
    likeness = likeness_of(pool, links)
    whole: dict[int, list[int]] = {}
    order = [*range(pool.held), *pool.order]
    for row in order:
        whole.setdefault(_groups(pool, likeness)[row], []).append(row)
    expected = [group for group in whole.values() if len(group) > 1 and group[-1] >= pool.held]
    expected.sort(key=lambda group: min(order.index(row) for row in group if row >= pool.held))
    assert linked(pool, likeness) == expected


def _groups(pool: Pool, likeness: Likeness) -> list[int]:
    """Name each row's group by its smallest row, spreading names until none changes."""
    prompts = range(len(pool.prompts))
    alike = {(a, b) for a in prompts for b, _ in likeness.to(a)} | {(a, a) for a in prompts}
    names = list(range(pool.size))
    while True:
        near = [
            min(
                names[other]
                for other in range(pool.size)
                if (pool.of[row], pool.of[other]) in alike or pool.keys[row] == pool.keys[other]
            )
            for row in range(pool.size)
        ]
        if near == names:
            return names
        names = near
