"""Mutators: each plants one defect in a sound record, always the same one, and says where it cannot."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.audit.catalogue import DEFECTS, UNPLANTED
from curation.audit.host import Host, lowered
from curation.audit.mutators.contents import iban, luhn
from curation.filters.catalogue import CHECKS
from curation.reasons import known
from schemas.record import TEXT_FIELDS, InstructionRecord, Provenance
from tests.support import pair, records

LETTER = (
    'The museum was founded in 2011 by Dr Amy O\'Hara. It is known for its "blue room", and for a collection of maps '
    "that cost $3,000 when it was bought. Since 2015 the house has grown. Most visitors come in the summer of the year."
)
HOSTS = (
    pair("Write a short text about a museum in Paris for three visitors.", LETTER),
    pair("What is the capital of France?", "The capital of France is Paris."),
    pair("How do I boil an egg?", "Put it into boiling water for eight minutes. Cool it. Peel it."),
    pair("List five advantages of cycling.", "It is cheap, it is healthy, and it is quiet.", category="brainstorming"),
    pair(
        "Summarize the following article in a sentence.",
        "The town opened a new bridge, which is used by two thousand people a day.",
        "The town opened a new bridge on Monday. More than two thousand people a day use it to go to work by bicycle.",
    ),
)


def plants(name: str, hosts: tuple[InstructionRecord, ...] = HOSTS) -> list[InstructionRecord]:
    """Plant a defect in each host that has a place for it, with some seeds."""
    return [
        made
        for seed in range(5)
        for at, host in enumerate(hosts)
        if (made := DEFECTS[name].plant(Host(record=host, other=hosts[at - 1], rng=Random(f"{seed}/{at}"))))
    ]


@pytest.mark.parametrize("name", DEFECTS)
def test_every_defect_can_be_planted_and_always_in_the_same_way(name: str) -> None:
    """The same host and random numbers give the same plant; it differs from every host, but for a copy."""
    made = plants(name)

    assert made
    assert made == plants(name)
    assert name == "copied" or not {one.id for one in made} & {host.id for host in HOSTS}


@pytest.mark.parametrize("name", DEFECTS)
@given(record=records(), other=records(), seed=st.integers(0, 9))
@settings(max_examples=25, deadline=None)
def test_a_mutator_takes_any_record_and_changes_its_texts_alone(
    name: str, record: InstructionRecord, other: InstructionRecord, seed: int
) -> None:
    """Whatever the text, there is a plant or none; where it came from and all else stays as it was."""
    made = DEFECTS[name].plant(Host(record=record, other=other, rng=Random(seed)))

    if made is not None:
        texts = {field: getattr(record, field) for field in TEXT_FIELDS}
        assert replace(made, **texts) == record


def test_every_check_that_rejects_or_repairs_has_a_defect_or_a_reason() -> None:
    """A check that nobody plants anything for is a check that nobody tests."""
    planted = {code for defect in DEFECTS.values() for code in defect.expects}
    acting = {code for code, check in CHECKS.items() if check.action in {"reject", "repair"}}

    assert acting - planted - set(UNPLANTED) == set()


def test_no_reason_is_kept_for_a_check_that_is_planted() -> None:
    """What stands among the exceptions is an exception."""
    planted = {code for defect in DEFECTS.values() for code in defect.expects}

    assert not planted & set(UNPLANTED)
    assert set(UNPLANTED) <= set(CHECKS)


def test_what_a_defect_expects_are_known_codes() -> None:
    """A misspelt code would never be given, and every plant would count as missed."""
    assert {code for defect in DEFECTS.values() for code in defect.expects} <= set(known())


def test_what_must_be_kept_expects_nothing() -> None:
    """A harmless change has no right code."""
    assert not [name for name, defect in DEFECTS.items() if defect.harmless and defect.expects]


def test_a_cut_answer_is_a_beginning_of_the_whole_one() -> None:
    """Nothing but the end is taken away, and something is."""
    for name in (
        "cut_after_a_word",
        "cut_after_a_small_word",
        "cut_within_a_word",
        "cut_at_a_year",
        "cut_at_an_amount",
    ):
        for made in plants(name):
            assert LETTER.startswith(made.response)
            assert made.response != LETTER


def test_numbers_that_must_be_found_have_right_check_digits() -> None:
    """Card 4539 1488 0343 6467 and account DE89 3704 0044 0532 0130 00 are examples of their standards."""
    assert luhn("453914880343646") == "4539148803436467"
    account = iban(Random(1))
    assert int(f"{account[4:]}1314{account[2:4]}") % 97 == 1


def test_a_name_keeps_its_capital_letter() -> None:
    """Only what is a word like others begins small after other words."""
    assert lowered("The town is old.") == "the town is old."
    assert lowered("What's the way?") == "what's the way?"
    kept = ("New York is old.", "NASA flies.", "I think so.", "I'm sure.", "")
    assert tuple(map(lowered, kept)) == kept


def test_a_plant_keeps_where_its_host_came_from() -> None:
    """So that a recipe treats it as it would treat the host."""
    host = replace(HOSTS[0], provenance=Provenance(source="a.jsonl", line=3), category="open_qa")

    (made, *_) = plants("refused", (host,))

    assert (made.provenance, made.category) == (host.provenance, "open_qa")
