"""How much may be sent to an endpoint, and when: a window that learns what it can bear.

It grows by one for each full window that was answered and shrinks by a quarter when the endpoint says that it was too
much (AIMD, as in TCP; Chiu and Jain 1989). Of a burst of 429s only the first counts: the others had been sent before it
was known. What the endpoint says of its limits is kept to: Retry-After, rate-limit headers, numbers in its words.
"""

import asyncio
import random
import time
from contextlib import suppress

from curation.generate.headers import Limits
from curation.generate.trouble import LetGoError

SHRINK = 0.75
PAUSE_S = 1.0
"""Seconds to wait after a 429 that says nothing; doubled for each further one in a row."""
PAUSE_MOST_S = 30.0


class Window:
    """How much may be sent, and when; one for each model of an endpoint."""

    def __init__(self, most: int) -> None:
        self._most, self._allowed, self._in_flight = most, float(most), 0
        self._free_at = 0.0
        """Loop time before which nothing is sent."""
        self._gap_s = 0.0
        """Seconds between two requests; 0: any number at once."""
        self._next_at = 0.0
        self._pace_s = 0.0
        """The same, as the headers of the last answer had it."""
        self._left: int | None = None
        self._reset_at = 0.0
        self._burst = self._streak = 0
        self._over = False
        self._turn = asyncio.Lock()
        self._freed = asyncio.Event()

    @property
    def allowed(self) -> int:
        """Requests that may be in flight."""
        return max(1, int(self._allowed))

    async def enter(self) -> int:
        """Wait until one more may be sent, first come first served; returns the burst that it belongs to.

        Raises:
            LetGoError: nothing more is waited for.
        """
        async with self._turn:
            while (wait := self.wait_s()) != 0:
                if self._over:
                    raise LetGoError
                await self._changed(wait)
            return self.take()

    def take(self) -> int:
        """Send one at once, where `wait_s` says that it may be; returns the burst that it belongs to."""
        now = time.monotonic()
        self._next_at = max(now, self._next_at) + max(self._gap_s, self._pace_s)
        self._left = None if self._left is None else self._left - 1
        self._in_flight += 1
        return self._burst

    @property
    def streak(self) -> int:
        """Bursts in a row of which it was told that they were too much."""
        return self._streak

    @property
    def in_flight(self) -> int:
        """Requests that were sent and have not come back."""
        return self._in_flight

    def leave(self) -> None:
        """Make room for the next one."""
        self._in_flight -= 1
        self._freed.set()

    def close(self) -> None:
        """Let go whoever waits."""
        self._over = True
        self._freed.set()

    def answered(self, limits: Limits) -> None:
        """Grow by one for each full window of answers, and heed how many more will be taken."""
        self._streak = 0
        self._allowed = min(self._most, self._allowed + 1 / self._allowed)
        self._gap_s *= 1 - 0.05 / self.allowed  # what a 429 said of a rate may have been of that minute
        self._heed_left(limits)

    def too_much(self, burst: int, limits: Limits) -> float:
        """Shrink, once a burst, and keep to what was said; returns the seconds until something is sent again."""
        now = time.monotonic()
        if burst == self._burst:
            self._burst += 1
            self._streak += 1
            self._allowed = max(1.0, min(self._allowed, limits.at_once or self._most) * SHRINK)
            self._gap_s = 1 / limits.per_s if limits.per_s else self._gap_s
        said = limits.wait_s if limits.wait_s is not None else limits.reset_s if limits.left == 0 else None
        pause = said if said is not None else min(PAUSE_MOST_S, PAUSE_S * 2 ** min(10, self._streak - 1))
        # a little apart, so that not everybody who was told the same comes back at once
        self._free_at = max(self._free_at, now + pause * (1 + random.random() / 10))  # noqa: S311  # no secret
        return pause

    def _heed_left(self, limits: Limits) -> None:
        if limits.left is None or limits.reset_s is None:
            return
        if limits.most and limits.most > limits.left:  # it fills up evenly: ask as fast as it does
            each = limits.reset_s / (limits.most - limits.left)
            self._pace_s = each if limits.left < self.allowed else 0.0
            return
        now = time.monotonic()
        before = self._left if self._left is not None and now < self._reset_at else limits.left
        self._left, self._reset_at = min(before, limits.left), now + limits.reset_s

    def wait_s(self) -> float | None:
        """Return the seconds until one more may be sent; 0: now; None: when one comes back."""
        if self._in_flight >= self.allowed:
            return None
        now = time.monotonic()
        if self._left is not None and now >= self._reset_at:
            self._left = None
        used_up = self._left is not None and self._left < 1
        at = max(self._free_at, self._next_at, self._reset_at if used_up else 0.0)
        return max(0.0, at - now)

    async def _changed(self, wait: float | None) -> None:
        """Wait so many seconds, or until one comes back."""
        self._freed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._freed.wait()
