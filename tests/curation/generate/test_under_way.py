"""Work under way: in order, not too far ahead, and waited for at the end."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from curation.generate.under_way import UnderWay


async def numbers(count: int) -> AsyncGenerator[int, None]:
    """Yield the first numbers."""
    for number in range(count):
        yield number


def test_work_is_done_ahead_but_not_far() -> None:
    """Results come in order, though later work ends earlier; no more than is allowed is begun before one is taken."""
    begun: list[int] = []

    async def work(item: int) -> int:
        begun.append(item)
        await asyncio.sleep(0.01 if item % 2 else 0)
        return item * 2

    async def run() -> tuple[list[int], int]:
        results = UnderWay(4).in_order(work, numbers(20), lambda: 3)
        first = await anext(results)
        ahead = len(begun)
        return [first, *[one async for one in results]], ahead

    made, ahead = asyncio.run(run())

    assert made == [number * 2 for number in range(20)]
    assert ahead <= 4


def test_slots_are_never_more_than_allowed() -> None:
    """Whatever was begun waits its turn."""
    here, most = 0, 0

    async def main() -> None:
        under_way = UnderWay(3)

        async def work(item: int) -> int:
            nonlocal here, most
            async with under_way.slot():
                here, most = here + 1, max(most, here + 1)
                await asyncio.sleep(0)
                here -= 1
            return item

        assert [one async for one in under_way.in_order(work, numbers(30), lambda: 30)] == list(range(30))

    asyncio.run(main())

    assert most == 3


def test_the_end_waits_for_what_has_a_slot_and_begins_nothing_more() -> None:
    """A request that was sent is waited for; one that waits for its slot is given up."""
    done: list[int] = []

    async def main() -> None:
        under_way = UnderWay(2)

        async def work(item: int) -> int:
            async with under_way.slot():
                await asyncio.sleep(0.02)
                done.append(item)
            return item

        results = under_way.in_order(work, numbers(10), lambda: 6)
        await anext(results)
        await under_way.end()
        with pytest.raises(asyncio.CancelledError):
            async with under_way.slot():
                pass

    asyncio.run(main())

    assert len(done) <= 4


def test_who_stops_waiting_does_not_stop_the_work() -> None:
    """An interrupt ends the run, not the requests it has paid for."""
    done: list[int] = []

    async def main() -> None:
        under_way = UnderWay(2)

        async def work(item: int) -> int:
            async with under_way.slot():
                await asyncio.sleep(0.05)
                done.append(item)
            return item

        waiting = asyncio.create_task(anext(under_way.in_order(work, numbers(2), lambda: 2)))
        await asyncio.sleep(0.01)
        waiting.cancel()
        await under_way.end()

    asyncio.run(main())

    assert done == [0, 1]
