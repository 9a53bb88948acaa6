"""The client against a bare one: how much of what an endpoint can serve it gets, journal included, and what it costs.

    python benchmarks/endpoint_client.py [--quick]

The mock endpoint runs in a process of its own and serves at most 1,000 requests a second (20 slots of 20 ms each).
Ours is the whole way of a request: journal, budget, limiter, HTTP. The peers are a bare aiohttp loop, which keeps
nothing and repeats nothing, and the `openai` package's own client. Each is a process of its own, so that its processor
time and memory are its own: A B A B, medians.
"""

import argparse
import asyncio
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from common import finish

RATE = 1_000
"""Requests a second that the endpoint serves."""
SLOTS = 20
IN_FLIGHT = 64
BODY = {"model": "mock", "max_tokens": 32, "temperature": 0.5}

Ask = Callable[[int], Awaitable[object]]


def text_of(number: int) -> str:
    """Return a question of the length of a real one."""
    return f"Write 4 new tasks about number {number}. " + "They are short and can be done with text alone. " * 12


@asynccontextmanager
async def bare(address: str, _: Path) -> AsyncIterator[Ask]:
    """Aiohttp and nothing else."""
    import aiohttp

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def ask(number: int) -> object:
            messages = [{"role": "user", "content": text_of(number)}]
            async with session.post(f"{address}/chat/completions", json={**BODY, "messages": messages}) as got:
                return (await got.json())["choices"][0]["message"]["content"]

        yield ask


@asynccontextmanager
async def openai_client(address: str, _: Path) -> AsyncIterator[Ask]:
    """The `openai` package's client as it comes."""
    import openai

    async with openai.AsyncOpenAI(base_url=address, api_key="none", max_retries=0) as client:

        async def ask(number: int) -> object:
            messages: Any = [{"role": "user", "content": text_of(number)}]
            made = await client.chat.completions.create(model="mock", messages=messages, max_tokens=32, temperature=0.5)
            return made.choices[0].message.content

        yield ask


@asynccontextmanager
async def ours(address: str, folder: Path) -> AsyncIterator[Ask]:
    """Everything that stands around a request."""
    from curation.generate.budget import Purse
    from curation.generate.budgeted import Budgeted
    from curation.generate.endpoint import Message, Request
    from curation.generate.journal import Remembered, open_journal
    from curation.generate.limiter import Limited
    from curation.generate.web import open_endpoint

    params = {"max_tokens": 32, "temperature": 0.5}
    with open_journal(folder) as journal:
        async with open_endpoint(address, timeout_s=60) as endpoint:
            purse = Purse(spending=journal.spending)
            remembered = Remembered(Limited(Budgeted(endpoint, purse, journal), most=IN_FLIGHT), journal)

            async def ask(number: int) -> object:
                request = Request(model="mock", messages=(Message("user", text_of(number)),), params=params)
                return (await remembered.ask(request)).text

            yield ask


CLIENTS = {"ours": ours, "bare": bare, "openai": openai_client}


async def ask_all(ask: Ask, count: int) -> None:
    """Ask so many questions, `IN_FLIGHT` at a time."""
    numbers = iter(range(count))

    async def work() -> None:
        for number in numbers:
            await ask(number)

    await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))


def run_client(name: str, address: str, count: int) -> None:
    """Be one client: print what it took."""

    async def main() -> float:
        with tempfile.TemporaryDirectory() as folder:
            async with CLIENTS[name](address, Path(folder)) as ask:
                await ask(-1)
                started = time.monotonic()
                await ask_all(ask, count)
                return time.monotonic() - started

    before = resource.getrusage(resource.RUSAGE_SELF)
    seconds = asyncio.run(main())
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    figures = {"per_s": count / seconds, "cpu_ms": 1_000 * cpu / count, "peak_mb": after.ru_maxrss / 1024}
    print(json.dumps(figures))


@contextmanager
def endpoint(*options: str) -> Iterator[str]:
    """Serve the mock endpoint; yields its address."""
    command = [sys.executable, "-m", "curation.cli", "mock-endpoint", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def measured(name: str, address: str, count: int) -> dict[str, float]:
    """Run one client in a process of its own."""
    command = [sys.executable, __file__, "--client", name, "--address", address, "--count", str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{name}: {done.stderr}")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def compare(count: int, times: int) -> dict[str, float]:
    """Return what each client got out of the capped endpoint, and its processor time, medians of A B A B."""
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in CLIENTS}
    with endpoint("--slots", str(SLOTS), "--latency-s", str(SLOTS / RATE)) as address:
        for _ in range(times):
            for name, of_client in runs.items():
                of_client.append(measured(name, address, count))
    figures = {}
    for name, of_client in runs.items():
        for figure in ("per_s", "cpu_ms"):
            figures[f"{name}_{figure}"] = round(statistics.median(run[figure] for run in of_client), 3)
        print(f"{name:8} {figures[f'{name}_per_s']:8.0f} requests/s {figures[f'{name}_cpu_ms']:8.2f} ms CPU a request")
    return figures


def memory(few: int, many: int) -> dict[str, float]:
    """Return the peak memory of our client after few and after many requests, in MB."""
    with endpoint() as address:
        small, large = (measured("ours", address, count)["peak_mb"] for count in (few, many))
    print(f"memory: {small:.0f} MB after {few:,} requests, {large:.0f} MB after {many:,}")
    return {"peak_mb_few": round(small, 1), "peak_mb_many": round(large, 1), "memory_ratio": round(large / small, 3)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--data", help="not used")
    for name in ("client", "address"):
        parser.add_argument(f"--{name}", help=argparse.SUPPRESS)
    parser.add_argument("--count", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.client:
        run_client(chosen.client, chosen.address, chosen.count)
        return
    figures = compare(2_000, 1) if chosen.quick else compare(10_000, 3)
    figures |= memory(1_000, 4_000) if chosen.quick else memory(10_000, 200_000)
    figures["share_of_bare"] = round(figures["ours_per_s"] / figures["bare_per_s"], 3)
    finish("endpoint_client", figures, {"share_of_bare": (">=", 0.95), "memory_ratio": ("<=", 1.3)})


if __name__ == "__main__":
    main()
