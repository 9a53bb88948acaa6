"""One model at several endpoints: each request goes to one of them, by weight, and to another where that one fails.

Over time each endpoint gets its weight's share of the requests. One that may not be asked now (its window is full, or
it said "later") is passed over, so that others take over; nor may a slow one hold more of the requests in flight than
its share, because the fast ones would wait for it. A fault (a server error, a lost connection, a timeout) is as good as
"later", and the request goes on to whoever is ready. An endpoint is dropped for good where no attempt can help (a wrong
key, an empty quota), or when it has failed as often in a row, or been silent for as long, as a run is patient.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from curation.generate.endpoint import BROKEN, Answer, Endpoint, Request, read_answer
from curation.generate.headers import NO_LIMITS
from curation.generate.limiter import ExhaustedError, Patience
from curation.generate.trouble import BusyError, FaultError, LetGoError
from curation.generate.window import Window
from schemas.errors import EndpointError


@dataclass(slots=True, kw_only=True, eq=False)
class Lane:
    """One endpoint among several, and how it does."""

    endpoint: Endpoint
    weight: int = 1
    windows: dict[str, Window] = field(default_factory=dict)
    """Model → how much may be sent."""
    sent: int = 0
    faults: int = 0
    """Bursts of faults since it last answered."""
    answered_at: float = float("-inf")
    """Time of its last answer."""

    @property
    def in_flight(self) -> int:
        """Requests that it has not answered."""
        return sum(window.in_flight for window in self.windows.values())

    def answered(self, window: Window, answer: Answer) -> None:
        """Note that all is well."""
        window.answered(answer.limits)
        self.faults, self.answered_at = 0, time.monotonic()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """An attempt that is under way."""

    lane: Lane
    window: Window
    burst: int


class Spread:
    """An endpoint that is made of several."""

    def __init__(
        self,
        lanes: Sequence[Lane],
        *,
        most: int,
        patience: Patience | None = None,
        dropped: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Begin with `most` requests in flight at each; `dropped` is told of each that is given up."""
        self._lanes, self._most, self._patience, self._dropped = list(lanes), most, patience or Patience(), dropped
        self._turns: dict[str, asyncio.Lock] = {}
        self._answered_at = float("-inf")
        self._freed = asyncio.Event()
        self._over = False

    def close(self) -> None:
        """Wait for nothing more: who would have to is let go, who has sent something gets its answer."""
        self._over = True
        self._freed.set()

    async def ask(self, request: Request) -> Answer:
        """Return the answer of whichever endpoint gives one.

        Raises:
            EndpointError: none is left; in the words of the last.
        """
        began, faults = time.monotonic(), 0
        while True:
            sent = await self._turn(request.model)
            try:
                return await self._attempt(sent, request)
            except BusyError as error:
                self._wait_or_drop(sent, error, began)
            except FaultError as error:
                faults += 1
                if faults >= self._patience.attempts and self._answered_at > began:  # its own fault: others had answers
                    return read_answer({"error": str(error), BROKEN: True})
                self._pause_or_drop(sent, error)
            except EndpointError as error:
                self._drop(sent.lane, error)

    async def _attempt(self, sent: Sent, request: Request) -> Answer:
        try:
            answer = await sent.lane.endpoint.ask(request)
        finally:
            sent.window.leave()
            self._freed.set()
        sent.lane.answered(sent.window, answer)
        self._answered_at = time.monotonic()
        return answer

    async def _turn(self, model: str) -> Sent:
        """Wait until an endpoint may be asked, first come first served.

        Raises:
            LetGoError: nothing more is waited for.
        """
        async with self._turns.setdefault(model, asyncio.Lock()):
            while True:
                if self._over:
                    raise LetGoError
                waits = {lane: self._window(lane, model).wait_s() for lane in self._lanes}
                ready = [lane for lane, wait in waits.items() if wait == 0 and not (lane.faults and lane.in_flight)]
                if ready:
                    return self._sent(min(ready, key=self._turn_of), model)
                await self._changed(min((wait for wait in waits.values() if wait), default=None))

    def _window(self, lane: Lane, model: str) -> Window:
        return lane.windows.setdefault(model, Window(self._most))

    def _turn_of(self, lane: Lane) -> tuple[bool, float]:
        """Return what the next one has least of: it has room within its share, and got few for its weight."""
        weights = sum(one.weight for one in self._lanes)
        # requests in flight are equal where speeds are as the weights, and as the weights where speeds are equal
        share = self._most * max(lane.weight / weights, 1 / len(self._lanes))
        return lane.in_flight >= max(1, int(share)), lane.sent / lane.weight

    def _sent(self, lane: Lane, model: str) -> Sent:
        lane.sent += 1
        window = self._window(lane, model)
        return Sent(lane=lane, window=window, burst=window.take())

    async def _changed(self, wait: float | None) -> None:
        """Wait so many seconds, or until something comes back."""
        self._freed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._freed.wait()

    def _wait_or_drop(self, sent: Sent, error: BusyError, began: float) -> None:
        pause = sent.window.too_much(sent.burst, error.limits)
        silent = time.monotonic() - max(began, sent.lane.answered_at)
        if silent + pause > self._patience.patience_s:
            waits = f"it wants another {pause:.0f} s, more than --patience-s {self._patience.patience_s:g}"
            self._drop(sent.lane, EndpointError(f"{error}; nothing was answered for {silent:.0f} s and {waits}"))

    def _pause_or_drop(self, sent: Sent, error: FaultError) -> None:
        """Count a fault, once a burst: others had been sent before it was known."""
        streak = sent.window.streak
        sent.window.too_much(sent.burst, NO_LIMITS)
        sent.lane.faults += sent.window.streak - streak
        if sent.lane.faults >= self._patience.attempts:
            self._drop(sent.lane, ExhaustedError(f"{error}, {sent.lane.faults} times in a row", status=error.status))

    def _drop(self, lane: Lane, error: EndpointError) -> None:
        """Ask an endpoint no more; the last one's error is everybody's."""
        if lane in self._lanes and len(self._lanes) > 1:
            self._lanes.remove(lane)
            self._dropped(f"{error}; it is asked no more, {len(self._lanes)} of the endpoints left")
            self._freed.set()
        elif lane in self._lanes:
            raise error
