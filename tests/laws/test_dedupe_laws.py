"""The two-sided law of dedupe, over any records, by an encoder that needs no model."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import curation.embedding
from curation.dedupe.evidence import AGREE, DIGITS, TASK, different_answers, excusable
from curation.dedupe.exact import exact_key
from curation.dedupe.prompts import prompt_of
from curation.dedupe.reading import read
from curation.dedupe.reasons import EXACT, NEAR
from curation.dedupe.stage import Dedupe
from curation.dedupe.verify import CONTENT, contrast
from curation.embedding.encoder import Told, Vectors, tell_nobody
from schemas.outcome import Outcome, Rejection
from schemas.record import InstructionRecord, Provenance
from tests.support import pair, records, texts, words

DIMENSIONS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupEncoder:
    """Reads the vector off the text: "3 1 0 2" is the direction (3, 1, 0, 2)."""

    identity: str = "lookup"
    margin: float = 0.0
    costly: bool = True

    def encode(self, texts: Sequence[str], told: Told = tell_nobody) -> Vectors:
        """Return the directions as unit vectors."""
        rows = np.array([[float(part) for part in text.split()] for text in texts]).reshape(-1, DIMENSIONS)
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


@pytest.fixture(scope="module", autouse=True)
def lookup() -> Iterator[None]:
    """List the lookup encoder while these tests run."""
    with pytest.MonkeyPatch.context() as patch:
        listed = {**curation.embedding.ENCODERS, "lookup": lambda _: LookupEncoder()}
        patch.setattr(curation.embedding, "ENCODERS", listed)
        yield


def directions() -> st.SearchStrategy[str]:
    """Texts that the lookup encoder reads."""
    parts = st.lists(st.integers(0, 3), min_size=DIMENSIONS, max_size=DIMENSIONS)
    return parts.filter(any).map(lambda row: " ".join(map(str, row)))


def spelled(threshold: float = 0.8, *, verify: bool = True) -> Dedupe:
    """Return the stage by spelling."""
    return Dedupe(encoder="hashing", threshold=threshold, verify="rules" if verify else "none", cache=False, tile=3)


def looked_up(threshold: float = 0.9) -> Dedupe:
    """Return the stage by the vectors that stand in the prompts; numbers are no contrast here."""
    return Dedupe(encoder="lookup", threshold=threshold, verify="none", cache=False, tile=2)


def kept(outcomes: Sequence[Outcome]) -> list[InstructionRecord]:
    """Return the kept records."""
    return [one for one in outcomes if not isinstance(one, Rejection)]


def rejected(outcomes: Sequence[Outcome]) -> list[Rejection]:
    """Return the rejections."""
    return [one for one in outcomes if isinstance(one, Rejection)]


def cosine(stage: Dedupe, one: str, other: str) -> float:
    """Score two texts anew, apart from all the stage's machinery; a text is like itself, be there a vector or none."""
    if one == other:
        return 1.0
    encoder = curation.embedding.open_encoder(stage.encoder, "fp32")
    a, b = encoder.encode([one, other]).astype(np.float64)
    return round(float(a @ b), DIGITS)


def duplicates(stage: Dedupe, one: InstructionRecord, other: InstructionRecord) -> bool:
    """Say whether two records are duplicates, by the definition."""
    if exact_key(one, stage.exact_fields) == exact_key(other, stage.exact_fields):
        return True
    prompts = prompt_of(one), prompt_of(other)
    if not all(prompt.text for prompt in prompts):
        return False
    if prompts[0] != prompts[1] and cosine(stage, prompts[0].text, prompts[1].text) < stage.threshold:
        return False
    return stage.verify == "none" or same(stage, one, other)


def same(stage: Dedupe, one: InstructionRecord, other: InstructionRecord) -> bool:
    """Say whether all the fields of two records with alike prompts tell of the same."""
    if different_answers(one.response, other.response):
        return False
    if prompt_of(one) == prompt_of(other):
        return True
    a, b = read(prompt_of(one)), read(prompt_of(other))
    if one.context.strip() and other.context.strip() and cosine(stage, one.instruction, other.instruction) < TASK:
        return False
    empty = not one.response.strip()
    agree = excusable(a, b) and not empty and cosine(stage, one.response, other.response) >= AGREE
    return contrast(a, b) is None or (contrast(a, b) == CONTENT and agree)


def assert_law(stage: Dedupe, pool: Sequence[InstructionRecord]) -> None:
    """Assert both sides of the law, and what every stage promises."""
    outcomes = list(stage(pool))
    by_id = {record.id: record for record in kept(outcomes)}

    assert [one.id for one in outcomes] == [record.id for record in pool]
    for one, other in combinations(kept(outcomes), 2):
        assert not duplicates(stage, one, other)
    for rejection, record in zip(outcomes, pool, strict=True):
        if isinstance(rejection, Rejection):
            (reason,) = rejection.reasons
            assert duplicates(stage, record, by_id[reason.other])
            assert reason.code == (NEAR if reason.scores else EXACT)
            assert reason.scores.get("prompt", 1.0) >= stage.threshold
    assert not rejected(list(stage(kept(outcomes))))


pools = st.lists(records(words), max_size=14)
vectors = st.lists(st.builds(pair, directions(), words), max_size=14)


@settings(max_examples=40, deadline=None)
@given(pool=pools, threshold=st.sampled_from([0.5, 0.8, 1.0]), verify=st.booleans())
def test_a_rejected_record_names_a_kept_duplicate_and_no_two_kept_ones_are_duplicates(
    pool: list[InstructionRecord], threshold: float, verify: bool
) -> None:
    """Both sides, one outcome a record in order, and a second pass rejects nothing: by spelling."""
    assert_law(spelled(threshold, verify=verify), pool)


@settings(max_examples=40, deadline=None)
@given(pool=st.lists(records(st.one_of(texts, words)), max_size=8))
def test_the_law_holds_for_any_text(pool: list[InstructionRecord]) -> None:
    """Empty prompts, strange alphabets, marks and signs."""
    assert_law(spelled(), pool)


@pytest.mark.parametrize(("response", "many"), [("Red.", 1), ("", 2), (" ", 2)])
def test_only_a_response_that_says_something_excuses_a_word(response: str, many: int) -> None:
    """Two empty responses are the same text and agree on nothing."""
    pool = [pair("Name a colour", response), pair("Name a colour Name a colour zebra0ADD", response)]
    assert contrast(*(read(prompt_of(record)) for record in pool)) == CONTENT
    assert len(kept(list(spelled()(pool)))) == many
    assert_law(spelled(), pool)


@settings(max_examples=40, deadline=None)
@given(pool=vectors, threshold=st.sampled_from([0.7, 0.9, 1.0]))
def test_the_law_holds_for_any_vectors(pool: list[InstructionRecord], threshold: float) -> None:
    """Chains, stars and clusters of every shape."""
    assert_law(looked_up(threshold), pool)


@settings(max_examples=40, deadline=None)
@given(pool=pools, seed=st.integers(0, 99))
def test_the_order_of_the_input_decides_nothing(pool: list[InstructionRecord], seed: int) -> None:
    """Shuffled, the same records are kept, and the rejected ones name the same ones for the same reasons."""
    shuffled = list(pool)
    Random(seed).shuffle(shuffled)
    stage = spelled()

    before, after = list(stage(pool)), list(stage(shuffled))

    assert sorted(map(repr, kept(before))) == sorted(map(repr, kept(after)))
    assert sorted(map(repr, rejected(before))) == sorted(map(repr, rejected(after)))


def test_a_chain_loses_only_what_is_like_a_kept_record() -> None:
    """A is like B and B like C, but A is not like C: B is the best, so both ends go, and both name B."""
    a, b, c = pair("3 0 0 0"), pair("3 1 0 0", "By far the best response of the three. " * 3), pair("3 2 0 0")
    stage = looked_up(0.94)

    outcomes = list(stage([a, b, c]))

    assert kept(outcomes) == [b]
    assert {rejection.reasons[0].other for rejection in rejected(outcomes)} == {b.id}
    assert not duplicates(stage, a, c)


def test_a_chain_whose_middle_goes_keeps_both_ends() -> None:
    """With the ends better than the middle only the middle goes: nothing goes because of what goes."""
    long = "A response that is longer than that of the middle by more than a band of characters."
    a, b, c = pair("3 0 0 0", long), pair("3 1 0 0", "Short."), pair("3 2 0 0", long)

    assert kept(list(looked_up(0.94)([a, b, c]))) == [a, c]


def test_two_thousand_equal_records_leave_one() -> None:
    """Equal prompts are compared once, not two million times."""
    pool = [pair(provenance=Provenance(source="a", line=line)) for line in range(2000)]

    outcomes = list(spelled()(pool))

    assert len(kept(outcomes)) == 1
    assert {rejection.reasons[0].code for rejection in rejected(outcomes)} == {EXACT}


def test_two_thousand_like_records_leave_one() -> None:
    """A cluster of prompts that are all like each other."""
    pool = [pair(f"3 3 3 {3 + line / 10_000:.4f}") for line in range(2000)]

    outcomes = list(replace(looked_up(0.99), tile=512)(pool))

    assert len(kept(outcomes)) == 1


@pytest.mark.parametrize("tile", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("neighbours", [True, False])
def test_a_pair_is_found_across_any_tiles(tile: int, neighbours: bool) -> None:
    """The shortest and the longest prompt stand in different tiles, and are duplicates whatever a tile's size."""
    pool = [pair("1 0 0 0"), *(pair(f"0 {n} 1 {9 - n}") for n in range(0, 9, 4)), pair("100000 1 1 1")]
    stage = replace(looked_up(0.999), tile=tile, neighbours=neighbours)

    assert len(kept(list(stage(pool)))) == len(pool) - 1


def test_at_threshold_one_only_the_same_direction_is_a_duplicate() -> None:
    """A cosine of 0.99999999 is 1, one of 0.99 is not."""
    pool = [pair("1 2 3 1"), pair("2 4 6 2"), pair("1 2 3 2")]

    assert len(kept(list(looked_up(1.0)(pool)))) == 2


def test_records_without_a_prompt_are_duplicates_of_their_equals_only() -> None:
    """Nothing is like an empty text; but equal records are equal."""
    pool = [pair("", "Blue."), pair("", "Red."), pair(" ", "blue."), pair("Name a colour.", "Blue.")]

    outcomes = list(spelled()(pool))

    assert [rejection.reasons[0].code for rejection in rejected(outcomes)] == [EXACT]


def test_the_better_duplicate_is_kept_though_it_stands_later() -> None:
    """Never just the first."""
    short = pair("Name a colour that you like.", "Blue.")
    long = pair("Name a colour that you like!", "Blue, because it is the colour of the sky on a clear day in summer.")

    (rejection,) = rejected(list(spelled()([short, long])))

    assert rejection.id == short.id
    assert rejection.reasons[0].other == long.id
