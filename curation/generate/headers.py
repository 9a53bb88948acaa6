"""What an endpoint says of its limits: Retry-After, rate-limit headers, and numbers in the words of a 429.

Providers spell them in many ways: `Retry-After: 20` or an HTTP date; `x-ratelimit-reset-requests: 6m0s`, `20ms`,
seconds, a Unix time or an ISO date; "Please try again in 1.2s"; "Limit 500 / min". What cannot be read is as if it were
not there: the limiter learns from what happens.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PARTS = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_AGAIN = re.compile(
    r"(?:again|retry|wait)\b[^.\d]{0,30}?(\d+(?:\.\d+)?)\s*"
    r"(milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h)?\b",
    re.IGNORECASE,
)
_RATE = re.compile(
    r"limit\D{0,20}?(\d[\d,]*)\s*(?:requests?|req)?\s*(?:/|per)\s*(s|sec|second|m|min|minute|h|hr|hour|d|day)\b",
    re.IGNORECASE,
)
_AT_ONCE = re.compile(r"(?:concurren\w*|in flight|parallel)\D{0,30}?(\d{1,5})\b", re.IGNORECASE)
_EPOCH = 1e9
"""A reset that is larger is a Unix time, not a number of seconds."""
_EPOCH_MS = 1e12


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What an endpoint said; None where it said nothing."""

    wait_s: float | None = None
    """Seconds after which to ask again."""
    left: int | None = None
    """Requests that will be taken until the reset; 0 also where the tokens are used up."""
    reset_s: float | None = None
    """Seconds until the reset."""
    most: int | None = None
    """Requests that are taken between two resets."""
    per_s: float | None = None
    """Requests a second, as the words of a 429 say."""
    at_once: int | None = None
    """Requests at a time, as the words of a 429 say."""


NO_LIMITS = Limits()


def read_limits(headers: Mapping[str, str], words: str = "", now: float | None = None) -> Limits:
    """Read the headers of an answer, lower-case names, and, for an error, its words; `now` is a Unix time."""
    now = time.time() if now is None else now
    left, most, reset = _left(headers, now)
    return Limits(
        wait_s=_wait(headers, words, now),
        left=left,
        reset_s=reset,
        most=most,
        per_s=_rate(words),
        at_once=int(found[1]) if (found := _AT_ONCE.search(words)) else None,
    )


def _wait(headers: Mapping[str, str], words: str, now: float) -> float | None:
    if (ms := _number(headers.get("retry-after-ms"))) is not None:
        return ms / 1000
    if (said := headers.get("retry-after")) is not None:
        return seconds(said, now)
    match = _AGAIN.search(words)
    if match is None:
        return None
    unit = (match[2] or "s").lower()
    return float(match[1]) * _UNITS["ms" if unit.startswith(("ms", "milli")) else unit[0]]


def _left(headers: Mapping[str, str], now: float) -> tuple[int | None, int | None, float | None]:
    """Return how many requests are left, of how many, and the seconds until the reset; where tokens are out, 0."""
    found: list[tuple[int, int | None, float | None]] = []
    for stem in ("x-ratelimit-{}-requests", "x-ratelimit-{}-tokens", "x-ratelimit-{}", "ratelimit-{}"):
        left = _number(headers.get(stem.format("remaining")))
        if left is None or (stem.endswith("tokens") and left > 0):
            continue
        reset = headers.get(stem.format("reset"))
        most = None if stem.endswith("tokens") else _number(headers.get(stem.format("limit"))) or None
        found.append((int(left), None if most is None else int(most), None if reset is None else seconds(reset, now)))
    return min(found, key=lambda one: one[0], default=(None, None, None))


def seconds(text: str, now: float) -> float | None:
    """Return a span of time or a moment as seconds from `now`, at least 0; None: it is neither."""
    number = _number(text)
    if number is not None:
        at = number / 1000 if number > _EPOCH_MS else number
        return max(0.0, at - now if at > _EPOCH else at)
    if parts := _PARTS.findall(text.strip().lower()):
        return sum(float(value) * _UNITS[unit] for value, unit in parts)
    moment = _moment(text)
    return None if moment is None else max(0.0, moment.timestamp() - now)


def _moment(text: str) -> datetime | None:
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = read(text.strip())
        except ValueError:
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None


def _rate(words: str) -> float | None:
    match = _RATE.search(words)
    if match is None:
        return None
    return int(match[1].replace(",", "")) / _UNITS[match[2][0].lower()]


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text is not None else None
    except ValueError:
        return None
    return number if number is not None and 0 <= number < float("inf") else None
