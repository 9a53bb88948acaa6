"""What can go wrong, and when: each fault has a rate, and a seed decides whom it hits.

Faults of the wire are drawn anew for every attempt, so that asking again helps. Faults of an answer belong to the
request: whoever asks the same again, in another run, gets the same bad answer. At most one of either kind hits one
attempt.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate

from schemas.errors import InputError

WIRE_FAULTS = {
    "limit_seconds": "429 with Retry-After in seconds.",
    "limit_date": "429 with Retry-After as a date.",
    "limit_words": "429 that says in its words how long to wait, and in no header.",
    "limit_silent": "429 that says nothing of when to come back.",
    "server_error": "500.",
    "unavailable": "503.",
    "hang": "No answer ever comes. The answer is billed.",
    "disconnect_before": "The connection is closed before a byte is sent. The answer is billed.",
    "disconnect_amid": "The connection is closed after half of the body. The answer is billed.",
    "broken_json": "The body is half of a JSON text, as whole as the connection can tell. The answer is billed.",
    "empty_choices": "200 with an empty list of choices. The prompt is billed.",
}
"""Fault of one attempt → what happens."""
ANSWER_FAULTS = {
    "empty_content": "The answer holds reasoning and no content.",
    "wrong_schema": "The answer has not the form that was asked for.",
    "truncated": "The answer is cut amid a sentence, with finish reason `length`.",
    "duplicate": "The answer is the same as to other requests.",
    "no_usage": "The answer does not say what it cost.",
}
"""Fault of a request's answer → what happens."""
FAULTS: Mapping[str, str] = {**WIRE_FAULTS, **ANSWER_FAULTS}
"""Every fault that a rate can be given for."""
ALL = "all"
"""Stands for every fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """The faults of a run, and the seed that decides whom they hit."""

    rates: Mapping[str, float] = field(default_factory=dict)
    """Fault → share (0 to 1) of attempts or answers that have it."""
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse what is no rate, and more faults than there are attempts."""
        for name, rate in self.rates.items():
            if name not in FAULTS:
                raise InputError(place="--fault", expected=f"one of {', '.join((*FAULTS, ALL))}", found=name)
            if not 0 <= rate <= 1:
                raise InputError(place="--fault", field=name, expected="a rate from 0 to 1", found=f"{rate:g}")
        for kind in (WIRE_FAULTS, ANSWER_FAULTS):
            if (total := sum(self.rates.get(name, 0) for name in kind)) > 1 + 1e-9:
                raise InputError(place="--fault", expected="rates of one kind that add up to 1", found=f"{total:g}")

    def of_attempt(self, key: str, attempt: int) -> str:
        """Return the fault of a request's n-th attempt, or an empty text."""
        return self._drawn(WIRE_FAULTS, f"{self.seed} {key} {attempt}")

    def of_answer(self, key: str) -> str:
        """Return the fault of the answer to a request, or an empty text."""
        return self._drawn(ANSWER_FAULTS, f"{self.seed} {key}")

    def _drawn(self, kind: Mapping[str, str], place: str) -> str:
        if not self.rates:
            return ""
        share = int.from_bytes(hashlib.blake2b(place.encode(), digest_size=6).digest()) / 2**48
        bounds = accumulate(self.rates.get(name, 0.0) for name in kind)
        return next((name for name, bound in zip(kind, bounds, strict=True) if share < bound), "")


def read_rates(words: tuple[str, ...]) -> dict[str, float]:
    """Read `NAME=RATE` words; a later one overrides an earlier one, and `all` stands for every fault.

    Raises:
        InputError: a word of another form.
    """
    rates: dict[str, float] = {}
    for word in words:
        name, _, rate = word.partition("=")
        try:
            rates |= dict.fromkeys(FAULTS if name == ALL else (name,), float(rate))
        except ValueError as error:
            raise InputError(place="--fault", expected="NAME=RATE, such as server_error=0.05", found=word) from error
    return rates
