"""Work under way at once: begun ahead, handed over in order, and waited for when it ends, because it was paid for."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")


class UnderWay:
    """The coroutines of one run, which share a number of slots. For one event loop."""

    def __init__(self, slots: int) -> None:
        """Allow this many requests at a time."""
        self._slots = asyncio.Semaphore(slots)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._over = False

    @asynccontextmanager
    async def slot(self) -> AsyncGenerator[None, None]:
        """Wait for a slot, first come first served.

        Raises:
            CancelledError: the run has ended meanwhile.
        """
        async with self._slots:
            if self._over:
                raise asyncio.CancelledError
            yield

    async def in_order(
        self,
        work: Callable[[Item], Coroutine[Any, Any, Made]],
        items: AsyncIterable[Item],
        ahead: Callable[[], int],
    ) -> AsyncGenerator[Made, None]:
        """Yield what `work` makes of each item, in order; at most `ahead()` of them wait or are worked on at a time."""
        waiting: deque[asyncio.Task[Made]] = deque()
        async for item in items:
            while len(waiting) >= ahead():
                yield await asyncio.shield(waiting.popleft())  # an interrupt stops the waiting, not the work
            waiting.append(self._begin(work(item)))
        while waiting:
            yield await asyncio.shield(waiting.popleft())

    async def end(self) -> None:
        """Begin nothing more, and wait for the requests that have a slot."""
        self._over = True
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, work: Coroutine[Any, Any, Made]) -> asyncio.Task[Made]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # seen: nobody may wait for it any more
