"""Draws what a second reviewer decides about, blind to the first: half of it what the first found fault with.

Defects are rare, and a sample of a clean set would hold next to none: kappa of it says nothing. So half are rows that
the first reviewer rejected, corrected or flagged, as far as there are any.
"""

import hashlib

from curation.review.agreement import FIRST
from curation.review.desk import Desk
from curation.review.events import DECIDING, FAULT, Event
from schemas.errors import InputError


def draw_second(desk: Desk, n: int) -> None:
    """Draw until the reviewer has `n` rows, as far as others decided about so many; what was drawn stays drawn.

    Raises:
        InputError: nobody else has decided about anything.
    """
    name = f"second:{desk.reviewer}"
    before = [str(row) for row in desk.board.drawn(name)]
    said = _said_by_others(desk)
    if not said and not before:
        raise InputError(place="--second", expected="decisions of another reviewer", found="none")
    doubted = [row for row, event in said.items() if event.action in (*FAULT, "flag") and row not in before]
    plain = [row for row, event in said.items() if event.action == "accept" and row not in before]
    wanted = max(0, n - len(before))
    fresh = balanced(shuffled(doubted, desk.reviewer), shuffled(plain, desk.reviewer), wanted)
    desk.draw(name, shuffled(fresh, name), desk.seating.seed)


def balanced(doubted: list[str], plain: list[str], n: int) -> list[str]:
    """Return `n` rows, half of each kind; where one kind has too few, more of the other."""
    half = min(len(doubted), max(n // 2, n - len(plain)))
    return [*doubted[:half], *plain[: n - half]]


def shuffled(rows: list[str], seed: str) -> list[str]:
    """Return rows in an order that the seed decides alone."""
    return sorted(rows, key=lambda row: hashlib.sha256(f"{seed}:{row}".encode()).digest())


def _said_by_others(desk: Desk) -> dict[str, Event]:
    """Return the last thing another reviewer did about each kept row that stands in this step."""
    found = {
        event.row_sha256: event
        for event in desk.board.standing()
        if event.queue in FIRST and event.reviewer != desk.reviewer and event.fate == "kept"
    }
    wanted = (*DECIDING, "flag")
    return {row: event for row, event in found.items() if row in desk.rows.places and event.action in wanted}
