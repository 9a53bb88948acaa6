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

    A Ctrl-C cancels that wait, and `interrupted` is told; what the generator does to come to its end is waited for,
    unless another Ctrl-C cancels that too.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed, and the generator has ended.
    """
    with asyncio.Runner() as runner:
        try:
            while (outcome := runner.run(_next(outcomes, interrupted))) is not None:
                yield outcome
        finally:
            runner.run(_close(outcomes))


async def _next(outcomes: AsyncGenerator[Outcome, None], interrupted: Callable[[], None]) -> Outcome | None:
    with _heeding(interrupted):
        return await anext(outcomes, None)


async def _close(outcomes: AsyncGenerator[Outcome, None]) -> None:
    await outcomes.aclose()


@contextmanager
def _heeding(interrupted: Callable[[], None]) -> Iterator[None]:
    """Cancel the task that runs in this context at every Ctrl-C, and end in a KeyboardInterrupt if there was one.

    The loop does it, not the handler: a handler may come in the middle of anything, a write to the terminal among it,
    and an exception from there could leave anything half done.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    before = signal.getsignal(signal.SIGINT)
    if task is None or not callable(before) or threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed = False

    def stop() -> None:
        nonlocal pressed
        if not task.done():
            pressed = True
            task.cancel()  # first: who sees what is said may press at once, and two cancels in a row are one
            interrupted()

    signal.signal(signal.SIGINT, lambda *_: loop.call_soon_threadsafe(stop))
    try:
        yield
    except asyncio.CancelledError:
        if pressed:
            raise KeyboardInterrupt from None
        raise
    finally:
        signal.signal(signal.SIGINT, before)
