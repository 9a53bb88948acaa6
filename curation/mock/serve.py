"""Runs the endpoint: until a signal comes, or in a thread of its own while a block runs."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from curation.mock.http import listening
from curation.mock.service import MockEndpoint, Service
from schemas.errors import InputError

HOST = "127.0.0.1"
STOPS = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """An endpoint that is being served."""

    address: str
    """What `--base-url` wants."""
    service: Service


def serve(settings: MockEndpoint, *, port: int, announce: Callable[[str], None]) -> Service:
    """Serve until SIGTERM or Ctrl-C; `announce` is told the address. Returns the service with its ledger.

    Raises:
        InputError: the port is taken.
    """
    service = Service(settings)
    asyncio.run(_until_stopped(service, port, announce))
    return service


async def _until_stopped(service: Service, port: int, announce: Callable[[str], None]) -> None:
    stopped = asyncio.Event()
    for number in STOPS:
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    try:
        async with listening(service.handle, HOST, port) as real:
            announce(_address(real))
            await stopped.wait()
    except OSError as error:
        raise InputError(place=f"--port {port}", expected="a free port", found=error.strerror or str(error)) from error
    finally:
        service.ledger.close()


@contextmanager
def serving(settings: MockEndpoint) -> Iterator[Running]:
    """Serve at a port of the system's choosing, in a thread of its own, while the block runs."""
    service, ready = Service(settings), threading.Event()
    held: list[tuple[asyncio.AbstractEventLoop, asyncio.Event, int]] = []

    async def work() -> None:
        stopped = asyncio.Event()
        async with listening(service.handle, HOST, 0) as port:
            held.append((asyncio.get_running_loop(), stopped, port))
            ready.set()
            await stopped.wait()

    thread = threading.Thread(target=asyncio.run, args=(work(),), daemon=True)
    thread.start()
    ready.wait()
    loop, stopped, port = held[0]
    try:
        yield Running(address=_address(port), service=service)
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join()
        service.ledger.close()


def _address(port: int) -> str:
    return f"http://{HOST}:{port}/v1"
