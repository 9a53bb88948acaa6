"""What several checks want to know of a record before they look closely, worked out once.

A regular expression over a text costs microseconds; whether a word stands in a set costs a tenth of one. So each check
first asks whether any word it could fire on is there at all. The checks of a record run one after the other, so
remembering the last record is enough. A check stays a pure function: what is remembered depends on the record alone.
"""

from typing import NamedTuple

from schemas.record import InstructionRecord

LONG_TOKEN = 16
"""Letters and digits in a row from which on a token may be a key."""


class View(NamedTuple):
    """A record as the cheap looks see it. Words are runs of ASCII letters and digits, in lower case, as bytes."""

    record: InstructionRecord
    asked: frozenset[bytes]
    """The words of instruction and context."""
    answered: frozenset[bytes]
    """The words of the response."""
    answer_length: int
    """The number of words in the response, each as often as it occurs."""
    shape: bytes
    """All three texts, digits as 0, letters as a, control characters as NUL, the rest but for @ and + as blanks."""
    asked_length: int
    """Bytes of the shape that are instruction and context."""
    long_token: bool
    """True where LONG_TOKEN letters and digits stand side by side in any field."""
    ascii: bool
    """True where all three texts are ASCII."""

    @property
    def asks_with_digits(self) -> bool:
        """Say whether a digit stands in the instruction or the context."""
        return self.shape.find(b"0", 0, self.asked_length) >= 0

    @property
    def control(self) -> bool:
        """Say whether a control character other than white space stands in any field."""
        return b"\0" in self.shape


def triggers(words: str) -> frozenset[bytes]:
    """Return words, separated by blanks, as a set to hold against those of a view."""
    return frozenset(words.encode().split())


def _table(*, word: bytes, digit: bytes, control: bytes, other: bytes) -> bytes:
    """Return the table for `bytes.translate`; an empty class keeps its characters, letters in lower case."""
    table = bytearray(bytes(range(256)).lower())
    for one in range(128):
        letter = chr(one)
        if letter in "@+" and digit == b"0":
            continue  # what e-mail addresses and phones abroad are known by
        kind = digit if letter.isdigit() else word if letter.isalpha() else control if one in _CONTROL else other
        table[one : one + 1] = kind or table[one : one + 1]
    return bytes(table)


_CONTROL = frozenset((*range(9), *range(14, 32), 127))
_WORDS = _table(word=b"", digit=b"", control=b" ", other=b" ")
_SHAPE = _table(word=b"a", digit=b"0", control=b"\0", other=b" ")
_TOKENS = _table(word=b"a", digit=b"a", control=b" ", other=b" ")
_TOKEN = b"a" * LONG_TOKEN
_last: list[View] = []


def view(record: InstructionRecord) -> View:
    """Return the view of a record, from memory if it was the last that was asked for."""
    if _last and _last[0].record is record:
        return _last[0]
    asked = f"{record.instruction}\n{record.context}\n"
    head = asked.encode(errors="replace")
    whole = head + record.response.encode(errors="replace")
    lower = whole.translate(_WORDS)
    words = lower[len(head) :].split()
    found = View(
        record=record,
        asked=frozenset(lower[: len(head)].split()),
        answered=frozenset(words),
        answer_length=len(words),
        shape=whole.translate(_SHAPE),
        asked_length=len(head),
        long_token=_TOKEN in whole.translate(_TOKENS),
        ascii=len(whole) == len(asked) + len(record.response) and whole.isascii(),
    )
    _last[:] = (found,)
    return found
