"""The limiter: asks an endpoint for no more than it can bear, and repeats what may yet be answered.

How much that is, a window for each model finds out (`curation.generate.window`). 429 and 503 never cost an attempt;
server errors, timeouts, lost connections and unreadable answers cost one, and come again after a growing, jittered
pause.
"""

import asyncio
import random
import time
from contextlib import suppress
from dataclasses import dataclass

from curation.generate.endpoint import BROKEN, Answer, Endpoint, Request, read_answer
from curation.generate.trouble import BusyError, FaultError, LetGoError
from curation.generate.window import Window
from schemas.errors import EndpointError

BACKOFF_S = 0.5
"""Seconds before the second attempt; doubled for each further one, and jittered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """When to give up."""

    attempts: int = 5
    """Attempts at a request that meet server errors, lost connections or unreadable answers."""
    patience_s: float = 600.0
    """Seconds without any answer, after which an endpoint that keeps saying "later" is given up."""


class Limited:
    """An endpoint that is asked no faster than it can bear, and again where that may help."""

    def __init__(self, endpoint: Endpoint, *, most: int, patience: Patience | None = None) -> None:
        """Begin with `most` requests in flight, which are never exceeded."""
        self._endpoint, self._most, self._patience = endpoint, most, patience or Patience()
        self._windows: dict[str, Window] = {}
        self._answered_at: float | None = None
        self._over = asyncio.Event()

    @property
    def allowed(self) -> int:
        """Requests that may be in flight, over all models."""
        return sum(window.allowed for window in self._windows.values())

    def close(self) -> None:
        """Wait for nothing more: who would have to is let go, who has sent something gets its answer."""
        self._over.set()
        for window in self._windows.values():
            window.close()

    async def ask(self, request: Request) -> Answer:
        """Return the answer, after as many attempts as it takes and may be had.

        Raises:
            EndpointError: asking again cannot help, or has not for too long.
        """
        window = self._windows.setdefault(request.model, Window(self._most))
        began, attempt = time.monotonic(), 0
        while True:
            try:
                return await self._attempt(window, request, began)
            except FaultError as error:
                attempt += 1
                if attempt >= self._patience.attempts:
                    return self._given_up(error, attempt, began)
                await self._sleep(BACKOFF_S * 2 ** (attempt - 1) * (0.5 + random.random() / 2))  # noqa: S311  # jitter

    async def _attempt(self, window: Window, request: Request, began: float) -> Answer:
        """Return the answer to one attempt; "later" is no attempt."""
        while True:
            burst = await window.enter()
            try:
                answer = await self._endpoint.ask(request)
            except BusyError as error:
                self._wait_or_give_up(window.too_much(burst, error.limits), error, began)
                continue
            finally:
                window.leave()
            window.answered(answer.limits)
            self._answered_at = time.monotonic()
            return answer

    def _wait_or_give_up(self, pause: float, error: BusyError, began: float) -> None:
        """Raise where waiting any longer is longer than anyone wants to."""
        self._stop_if_over()
        silent = time.monotonic() - max(began, self._answered_at or 0.0)
        if silent + pause > self._patience.patience_s:
            raise EndpointError(
                f"{error}; nothing was answered for {silent:.0f} s and the endpoint wants another {pause:.0f} s, more "
                f"than --patience-s {self._patience.patience_s:g}; the answers so far are kept"
            )

    def _given_up(self, error: FaultError, attempts: int, began: float) -> Answer:
        """Take the fault as the request's own if others were answered meanwhile; else it is the endpoint's."""
        if self._answered_at is None or self._answered_at < began:
            raise ExhaustedError(f"{error}, {attempts} times; the answers so far are kept", status=error.status)
        return read_answer({"error": str(error), BROKEN: True})

    async def _sleep(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._over.wait()
        self._stop_if_over()

    def _stop_if_over(self) -> None:
        if self._over.is_set():
            raise LetGoError


class ExhaustedError(EndpointError):
    """No attempt at a request was answered."""

    def __init__(self, words: str, *, status: int) -> None:
        super().__init__(words)
        self.status = status
        """Of the last attempt; 0: nothing came."""
