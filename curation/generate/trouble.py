"""Why one attempt at a request had no answer, and why a request was not sent at all."""

import asyncio

from curation.generate.headers import NO_LIMITS, Limits


class BusyError(Exception):
    """The endpoint wants to be asked later: 429, 503. Costs no attempt; for the limiter alone."""

    def __init__(self, words: str, *, limits: Limits = NO_LIMITS) -> None:
        super().__init__(words)
        self.limits = limits


class FaultError(Exception):
    """No answer, or an unreadable one: 5xx, a timeout, a lost connection, broken JSON.

    Costs an attempt; for the limiter alone.
    """

    def __init__(self, words: str, *, status: int = 0, received: bool = False) -> None:
        super().__init__(words)
        self.status = status
        """Of the HTTP answer; 0: none came, or it was 200."""
        self.received = received
        """Whether something came that may have been billed."""


class LetGoError(asyncio.CancelledError):
    """The run is over, and this request was still waiting for its turn: it was not sent, or not taken."""
