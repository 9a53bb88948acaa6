"""Support: the numbers and names of a response stand in its text."""

import pytest

from curation.generate.support import unsupported
from tests.support import pair

TEXT = (
    "The ferry Tarn, built by Nils Brandt in 1911, takes 18 minutes and carries 1,240 people a day. Since 3.50 crowns "
    "was too little, a ticket now costs four. The captain's name is Lund."
)


@pytest.mark.parametrize(
    ("response", "missing"),
    [
        ("It was built in 1911 by Nils Brandt.", []),
        ("It takes 18 minutes, and 1240 people ride on it each day.", []),
        ("A ticket costs 4 crowns instead of 3.5.", []),
        ("1. The Tarn\n2. Captain Lund's ferry\n3. Nils Brandt", []),
        ("Lund is the captain. Most people like her.", []),
        ("It was built in 1912.", ["1912"]),
        ("It was built by Nils Holm and carries 1,250 people.", ["1,250", "Holm"]),
        ("It crosses the lake to Stenby, I think.", ["Stenby"]),
        ("No number and no name at all", []),
    ],
)
def test_what_a_text_does_not_hold_is_found(response: str, missing: list[str]) -> None:
    """Numbers as numbers, names by their capitals amid a sentence; list numbers are none of either."""
    assert unsupported(pair("How is it?", response, TEXT)) == missing


def test_what_the_question_says_may_be_said() -> None:
    """The instruction holds it."""
    assert unsupported(pair("Does it go to Stenby at 9?", "Yes, to Stenby at 9.", TEXT)) == []


def test_capitals_tell_no_names_where_every_noun_has_one() -> None:
    """German nouns all begin with a capital."""
    record = pair("Wann?", "Die alte Fähre fährt um 8 Uhr.", "Sie legt um 8 ab.")

    assert unsupported(record)
    assert unsupported(record, names=False) == []
