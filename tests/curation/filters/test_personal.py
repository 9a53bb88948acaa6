"""Checksums tell a find from any row of digits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.filters.personal import PersonalData, iban, luhn, routing
from curation.filters.secrets import SecretLeaked, entropy
from schemas.errors import InputError
from schemas.record import Reason
from tests.curation.filters.content_cases import AWS
from tests.support import pair


@given(st.integers(10**14, 10**15 - 1), st.integers(0, 14))
def test_one_wrong_digit_breaks_the_checksum_of_a_card(body: int, at: int) -> None:
    """Of the ten last digits one fits, and a digit that changes breaks it."""
    (digits,) = [f"{body}{last}" for last in range(10) if luhn(f"{body}{last}")]
    changed = digits[:at] + str((int(digits[at]) + 1) % 10) + digits[at + 1 :]

    assert not luhn(changed)


@pytest.mark.parametrize(
    ("holds", "right", "wrong"),
    [
        (luhn, "79927398713", "79927398710"),
        (iban, "DE89370400440532013000", "DE89370400440532013001"),
        (routing, "021000021", "021000022"),
    ],
)
def test_known_numbers(holds: object, right: str, wrong: str) -> None:
    """The examples of the standards hold, and their neighbours do not."""
    assert callable(holds)
    assert holds(right)
    assert not holds(wrong)


def test_the_kinds_that_are_looked_for_can_be_chosen() -> None:
    """Who wants cards alone gets cards alone; a kind that there is not is refused."""
    record = pair(response="Write to r.okonkwo@gmail.com.")

    assert PersonalData()(record) is not None
    assert PersonalData(kinds=("card",))(record) is None
    with pytest.raises(InputError, match="expected some of email"):
        PersonalData(kinds=("shoe size",))


def test_a_secret_is_never_quoted_whole() -> None:
    """A reason shows the first characters and how many there are."""
    finding = SecretLeaked()(pair(response=f"client(key='{AWS}')"))

    assert isinstance(finding, Reason)
    assert finding.found == f"AWS key: {AWS[:4]}\u2026 (20 characters)"


def test_entropy_tells_noise_from_words() -> None:
    """In bits a character: none in a row of one letter, four in sixteen different ones."""
    assert entropy("aaaa") == 0
    assert entropy("0123456789abcdef") == 4
