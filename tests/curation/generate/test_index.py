"""The journal's index: what a dict would say, in a twentieth of its memory."""

import hashlib
import tracemalloc

from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from curation.generate.index import Index

KEYS = st.text("0123456789abcdef", min_size=16, max_size=16)


@given(st.lists(st.tuples(KEYS | st.sampled_from(["0" * 16, "f" * 16]), st.integers(0, 2**63)), max_size=60))
@examples(deadline=None)
def test_it_says_what_a_dict_says(entries: list[tuple[str, int]]) -> None:
    """The newest place of each key, and nothing of others."""
    index, plain = Index(), dict[int, int]()
    for key, place in entries:
        index.enter(key, place)
        plain[int(key, 16) or 1] = place

    assert len(index) == len(plain)
    assert all(index.find(key) == plain[int(key, 16) or 1] for key, _ in entries)
    assert "123456789abcdef0" not in index or 0x123456789ABCDEF0 in plain


def test_a_hundred_thousand_keys_take_a_few_megabytes() -> None:
    """Flat memory: under 64 bytes each, the largest table included."""
    tracemalloc.start()
    index = Index()
    for number in range(100_000):
        index.enter(hashlib.sha256(b"%d" % number).hexdigest(), number)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(index) == 100_000
    assert all(index.find(hashlib.sha256(b"%d" % number).hexdigest()) == number for number in range(0, 100_000, 997))
    assert held < 64 * 100_000
