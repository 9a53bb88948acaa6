"""Novelty: rouge_score's decisions, with the nearest text named."""

import gzip

import orjson
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from rouge_score import rouge_scorer, tokenize

from curation.generate.novelty import Pool
from tests.support import real_data

LIMIT = 0.7
FEWER = 0.5


def rouge(one: str, other: str) -> float:
    """Return the oracle's ROUGE-L F."""
    score: float = rouge_scorer._score_lcs(tokenize.tokenize(one, None), tokenize.tokenize(other, None)).fmeasure
    return score


def nearest_by_rouge(text: str, pool: list[str]) -> tuple[int, float] | None:
    """Return the first of the most similar texts, by comparing with every one; none where nothing is shared."""
    scores = [rouge(other, text) for other in pool]
    best = max(scores, default=0.0)
    return (scores.index(best), best) if best else None


def pool_of(texts: list[str]) -> Pool:
    """Return a pool that holds these texts."""
    pool = Pool()
    for text in texts:
        pool.add(pool.encode(text))
    return pool


def texts_of(words: str, most: int) -> st.SearchStrategy[str]:
    """Texts of few different words, so that much is shared."""
    return st.lists(st.sampled_from(words), max_size=most).map(" ".join)


few_words = texts_of("abcde", 8)


@given(st.lists(few_words, max_size=12), few_words)
@examples(deadline=None)
def test_the_nearest_text_is_the_one_that_rouge_score_finds(texts: list[str], text: str) -> None:
    """The same text, the first among equals, with the same score to the last digit."""
    pool = pool_of(texts)

    assert pool.nearest(pool.encode(text)) == nearest_by_rouge(text, texts)


@given(st.lists(texts_of("aaabcdefgh", 12), min_size=60, max_size=160), texts_of("aaabcdefgh", 14))
@examples(deadline=None, max_examples=60)
def test_words_that_nearly_every_text_holds_are_counted_as_well(texts: list[str], text: str) -> None:
    """A pool in which words have become common finds what comparing with every text finds."""
    pool = pool_of(texts)

    assert pool.nearest(pool.encode(text)) == nearest_by_rouge(text, texts)


def test_a_pool_grows() -> None:
    """Beyond what it made room for, common words included."""
    texts = [f"name the {at} best of {at % 7} rivers" for at in range(3000)]
    pool = pool_of(texts)

    assert pool._columns
    assert pool.nearest(pool.encode(texts[2999])) == (2999, 1.0)
    assert pool.nearest(pool.encode(texts[5])) == (5, 1.0)


@given(st.lists(few_words, min_size=1, max_size=9), few_words, st.data())
@examples(deadline=None)
def test_a_pool_without_a_text_is_as_if_it_had_never_been_there(
    texts: list[str], text: str, data: st.DataObject
) -> None:
    """The nearest of the others is found, by the keys they had."""
    gone = data.draw(st.integers(0, len(texts) - 1))
    pool = pool_of(texts)
    pool.remove(gone)

    assert pool.nearest(pool.encode(text)) == nearest_by_rouge(
        text, [other if at != gone else "" for at, other in enumerate(texts)]
    )


def test_decisions_on_real_instructions_are_those_of_rouge_score() -> None:
    """Alpaca's instructions in order, each against those accepted before it: the same are accepted.

    Alpaca was made with LIMIT, so that none of it is too near; with a lower one some are.
    """
    with gzip.open(real_data("alpaca_52k.jsonl.gz")) as file:
        instructions = [orjson.loads(line)["instruction"] for line in file][:400]
    pool, ours, theirs = Pool(), list[str](), list[str]()

    for text in instructions:
        codes = pool.encode(text)
        near = pool.nearest(codes)
        if near is None or near.score <= FEWER:
            pool.add(codes)
            ours.append(text)
        if not any(rouge(other, text) > FEWER for other in theirs):
            theirs.append(text)

    assert ours == theirs
    assert len(ours) < len(instructions)


def test_a_score_on_the_limit_falls_on_the_side_where_rouge_score_has_it() -> None:
    """Seven of ten words in common: the last digit of a float decides."""
    one, other = "a b c d e f g h i j", "a b c d e f g x y z"
    pool = pool_of([one])
    near = pool.nearest(pool.encode(other))

    assert near is not None
    assert near.score == rouge(one, other)


def test_a_text_that_was_taken_out_is_not_found() -> None:
    """Its key names no other text afterwards."""
    pool = Pool()
    first, second = (pool.add(pool.encode(text)) for text in ("name five fruits", "name five birds"))
    pool.remove(first)
    third = pool.add(pool.encode("name five trees"))

    near = pool.nearest(pool.encode("name five fruits"))

    assert near is not None
    assert near.key == second
    assert third not in (first, second)
    assert len(pool) == 2


def test_near_duplicates_are_found_in_scripts_without_spaces() -> None:
    """rouge_score finds every Chinese candidate new; here characters are compared in pairs."""
    one, other = "请写一首关于春天的短诗歌", "请写一首关于春天的小诗歌"
    pool = pool_of([one])
    near = pool.nearest(pool.encode(other))

    assert rouge(one, other) == 0
    assert near is not None
    assert near.score > LIMIT
