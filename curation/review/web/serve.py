"""Serves the screens on this machine until somebody stops it."""

import socket
import threading
import webbrowser
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from curation.filters.language import py3langid_detector
from curation.review.desk import Desk
from curation.review.web.guard import LOOPBACK, Keys
from schemas.errors import InputError

if TYPE_CHECKING:
    from starlette.applications import Starlette

SHORTEST_TOKEN = 16
"""Characters of a token that a person chooses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the screens are served."""

    host: str = "127.0.0.1"
    """Anything but this machine's own demands a token."""
    port: int = 0
    """0: one that is free."""
    token: str = ""
    """What opens the screens, as often as it is used; empty: one that is made now and works once."""

    def __post_init__(self) -> None:
        """Refuse to open a door without a lock.

        Raises:
            InputError: another host and no token, or a token that can be guessed.
        """
        if self.host not in LOOPBACK and not self.token:
            raise InputError(
                place="--token", expected=f"one, because --host {self.host} is reached by others", found="none"
            )
        if self.token and len(self.token) < SHORTEST_TOKEN:
            found = f"{len(self.token)}"
            raise InputError(place="--token", expected=f"{SHORTEST_TOKEN} characters or more", found=found)


def serve(
    desk: Desk, address: Address, told: Callable[[str], None], *, guidelines: str = "", browser: bool = True
) -> None:
    """Serve a review until interrupted; `told` gets the URL once the port listens."""
    from curation.review.web.app import make_app  # noqa: PLC0415  # heavier than the commands beside it

    # what is slow the first time is done while the first record is read
    threading.Thread(target=warm, args=(desk,), daemon=True).start()
    serve_app(lambda keys: make_app(desk, keys, guidelines), address, told, browser=browser)


def serve_app(
    make: Callable[[Keys], "Starlette"], address: Address, told: Callable[[str], None], *, browser: bool = True
) -> None:
    """Serve what `make` makes of the secrets of this run until interrupted; `told` gets the URL."""
    import uvicorn  # noqa: PLC0415  # heavier than the commands beside it

    with closing(listening(address)) as listener:
        keys = _keys(address, listener.getsockname()[1])
        url = f"http://{_in_url(address.host)}:{keys.port}/?token={keys.token}"
        told(url)
        if browser:
            webbrowser.open(url)
        config = uvicorn.Config(
            make(keys), log_level="warning", access_log=False, server_header=False, lifespan="off", ws="none"
        )
        uvicorn.Server(config).run(sockets=[listener])


def warm(desk: Desk) -> None:
    """Load what evidence needs and what is loaded once: the model that tells languages, vectors, columns, numbers."""
    desk.number_of("hunt", "")
    desk.rows.most_like(0, 1)
    _ = desk.rows.columns
    py3langid_detector("Which language is this?")


def read_guidelines(path: Path | None) -> str:
    """Return a project's own guidelines, plain text.

    Raises:
        InputError: no such file, or not UTF-8.
    """
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(place=path, expected="a text file", found=str(error)) from error


def listening(address: Address) -> socket.socket:
    """Return a socket that listens at an address.

    Raises:
        InputError: the address is not free.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    # asyncio turns Nagle's delay off only for sockets that say they are TCP; it would cost 40 ms a page
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address.host, address.port))
    except OSError as error:
        listener.close()
        raise InputError(
            place=f"{address.host}:{address.port}",
            expected="an address that is free",
            found=error.strerror or str(error),
        ) from error
    listener.listen(64)
    return listener


def _keys(address: Address, port: int) -> Keys:
    if address.token:
        return Keys(port=port, host=address.host, token=address.token, reusable=True)
    return Keys(port=port, host=address.host)


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
