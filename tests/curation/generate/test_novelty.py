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


few_words = st.lists(st.sampled_from("abcde"), max_size=8).map(" ".join)


@given(st.lists(few_words, max_size=12), few_words)
@examples(deadline=None)
def test_the_nearest_text_is_the_one_that_rouge_score_finds(texts: list[str], text: str) -> None:
    """The same text, the first among equals, with the same score to the last digit."""
    pool = pool_of(texts)

    assert pool.nearest(pool.encode(text)) == nearest_by_rouge(text, texts)


def test_decisions_on_real_instructions_are_those_of_rouge_score() -> None:
    """Alpaca's instructions in order, each against those accepted before it: the same are accepted."""
    with gzip.open(real_data("alpaca_52k.jsonl.gz")) as file:
        instructions = [orjson.loads(line)["instruction"] for line in file][:400]
    pool, ours, theirs = Pool(), list[str](), list[str]()

    for text in instructions:
        codes = pool.encode(text)
        near = pool.nearest(codes)
        if near is None or near.score <= LIMIT:
            pool.add(codes)
            ours.append(text)
        if not any(rouge(other, text) > LIMIT for other in theirs):
            theirs.append(text)

    assert ours == theirs


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
