"""How texts are put together for a pass through a model."""

from hypothesis import given
from hypothesis import strategies as st

from curation.embedding.encoder import PADDED, in_batches

SIZED = st.lists(st.tuples(st.sampled_from(["", " ", "a", "bb", "ccc", "dddd"]), st.integers(1, PADDED * 2)))


@given(SIZED, st.integers(1, 5))
def test_every_text_has_one_place(sized: list[tuple[str, int]], most: int) -> None:
    """From small to large; blank ones have none, and no batch is larger than it may be."""
    texts, sizes = [text for text, _ in sized], [size for _, size in sized]

    batches = list(in_batches(texts, sizes, most))

    places = [at for batch in batches for at in batch]
    assert sorted(places) == [at for at, text in enumerate(texts) if text.strip()]
    assert [sizes[at] for at in places] == sorted(sizes[at] for at in places)
    assert all(len(batch) <= most for batch in batches)
    assert all(len(batch) == 1 or len(batch) * max(sizes[at] for at in batch) <= PADDED for batch in batches)


def test_texts_are_put_together_by_their_tokens() -> None:
    """As many letters can be twice as many tokens."""
    texts = ["internationally", "a b c d e f g h", "extraordinarily", "1 2 3 4 5 6 7 8"]

    assert list(in_batches(texts, [1, 8, 2, 8], 2)) == [[0, 2], [3, 1]]
