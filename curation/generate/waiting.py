"""Waits for asynchronous outcomes. The first Ctrl-C lets what is under way come in, a second one stops at once."""

import asyncio
import signal
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import contextmanager

from schemas.outcome import Outcome


def waited_for(
    outcomes: AsyncGenerator[Outcome, None], interrupted: Callable[[], None] = lambda: None
) -> Generator[Outcome, None, None]:
    """Yield what an asynchronous generator does, in an event loop that runs while the next one is waited for.

    `interrupted` is told of the first Ctrl-C; what the generator does to come to its end is then waited for.
    """
    with asyncio.Runner() as runner:
        stopped = False
        try:
            while (outcome := runner.run(_next(outcomes, interrupted))) is not None:
                yield outcome
        except KeyboardInterrupt:
            stopped = True  # the generator has ended, or a second Ctrl-C came while it did: its tasks are cancelled
            raise
        finally:
            if not stopped:
                runner.run(_close(outcomes))


async def _next(outcomes: AsyncGenerator[Outcome, None], interrupted: Callable[[], None]) -> Outcome | None:
    with _told(interrupted):
        return await anext(outcomes, None)


async def _close(outcomes: AsyncGenerator[Outcome, None]) -> None:
    await outcomes.aclose()


@contextmanager
def _told(interrupted: Callable[[], None]) -> Iterator[None]:
    """Tell of an interrupt before the event loop's own handler, which cancels and then raises, comes to it."""
    before = signal.getsignal(signal.SIGINT)
    if not callable(before) or threading.current_thread() is not threading.main_thread():
        yield
        return

    def handler(number: int, frame: object) -> None:
        interrupted()
        before(number, frame)  # type: ignore[arg-type]  # a frame is passed through

    signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
