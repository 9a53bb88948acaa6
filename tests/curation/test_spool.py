"""Records wait on disk and come back as they were."""

from array import array

from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from curation.spool import Spool, parts
from schemas.record import InstructionRecord
from tests.support import filled, pair, records


@given(st.lists(records(filled), max_size=8), st.randoms(use_true_random=False))
@examples(max_examples=30, deadline=None)
def test_records_come_back_as_they_were(some: list[InstructionRecord], random: object) -> None:
    """All in order, each by its place, and some of them in any order, twice over."""
    spool = Spool.of(iter(some))
    rows = [random.randrange(len(some)) for _ in some]  # type: ignore[attr-defined]  # hypothesis' own Random
    again = spool.only(rows)

    assert list(spool) == list(spool) == some
    assert len(spool) == len(some)
    assert list(again) == [some[row] for row in rows]
    assert list(again.only(range(len(again)))) == list(again)


def test_what_waits_holds_little() -> None:
    """The records themselves are gone once they are taken in: sixteen bytes each are left."""
    spool = Spool.of(pair(f"Name river {number}.", "x" * 10_000) for number in range(300))

    assert isinstance(spool.starts, array)
    assert isinstance(spool.ends, array)
    assert spool.starts.itemsize + spool.ends.itemsize == 16
    assert len(spool.starts) == len(spool.ends) == 300
    assert spool[299].instruction == "Name river 299."


def test_parts_are_all_there_is() -> None:
    """The last one holds what is left; of nothing there is no part."""
    assert list(parts("abcde", 2)) == [("a", "b"), ("c", "d"), ("e",)]
    assert list(parts("", 2)) == []
