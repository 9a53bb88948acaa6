"""Counts of outcomes: what they come to, and in an order that no process decides."""

from schemas.outcome import reject
from schemas.record import Reason
from schemas.tally import Tally
from tests.support import pair

CODES = [f"code_{number}" for number in (7, 2, 9, 4, 1, 8, 3, 6, 0, 5)]


def test_codes_stand_in_the_order_of_the_checks() -> None:
    """Equally common ones, too: a set's order would differ from process to process, and with it the manifest."""
    tally = Tally()
    tally.add(reject(pair("a"), *(Reason(code=code) for code in [*CODES, CODES[0]])))

    assert list(tally.counts().reasons.items()) == [(code, 1) for code in CODES]


def test_kept_and_rejected_are_the_rows() -> None:
    """The commonest reason first."""
    tally = Tally()
    for code in ("rare", "common", "common"):
        tally.add(reject(pair("a"), Reason(code=code)))
    tally.add(pair("b"))

    counts = tally.counts()
    assert (counts.rows, counts.kept, counts.rejected) == (4, 1, 3)
    assert list(counts.reasons) == ["common", "rare"]
