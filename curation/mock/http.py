"""HTTP/1.1, as much of it as one endpoint on loopback needs, with the failures that a wire can have.

A request is handed over whole and answered by a value, `Reply`, which may also say: later, in pieces, half, or never.
No task is made for a request and no thread: a core answers several thousand of them a second, so that it is the client
that is measured. Not covered: pipelining beyond one request at a time, request bodies in chunks, TLS.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from itertools import accumulate
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from schemas.codec import dumps, loads

HEAD_MOST = 65_536
"""Bytes of a request's head that are read before it is refused."""
END_OF_HEAD = b"\r\n\r\n"
BACKLOG = 2_048
"""Connections that may wait to be taken."""
LAST_CHUNK = b"0\r\n\r\n"


class Wire(Enum):
    """What the connection does with a reply."""

    WHOLE = "whole"
    HANG = "hang"
    """Nothing is sent, and the connection stays open."""
    BEFORE = "before"
    """The connection is closed before anything is sent."""
    AMID = "amid"
    """The connection is closed after half of the body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A request as it came in."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What is sent back."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    after_s: float = 0.0
    """Seconds from the request until the first byte."""
    pieces: tuple[tuple[float, bytes], ...] = ()
    """Instead of a body: pieces, each with the seconds that pass before it."""
    wire: Wire = Wire.WHOLE


Handle = Callable[[Received], Reply]


def json_reply(value: object, status: int = 200, **more: object) -> Reply:
    """Return a reply that holds JSON."""
    return Reply(status=status, body=dumps(value), **more)  # type: ignore[arg-type]  # settings of a reply by name


class BadRequestError(Exception):
    """Bytes that are no request."""


def json_object(received: Received) -> Mapping[str, Any]:
    """Return the JSON object that a request brings.

    Raises:
        BadRequestError: it brings something else.
    """
    try:
        body = loads(received.body)
    except ValueError as error:
        raise BadRequestError(f"We could not parse the JSON body of your request: {error}") from error
    if not isinstance(body, dict):
        raise BadRequestError("The body of your request is not a JSON object.")
    return body


class Connection(asyncio.Protocol):
    """One client's connection: its requests are answered one after another."""

    def __init__(self, handle: Handle, live: "set[Connection]") -> None:
        self._handle, self._live = handle, live
        self._buffer = bytearray()
        self._answering = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._live.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        """End: what was still to be sent is sent to nobody."""
        self._transport = None
        self._live.discard(self)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Take bytes; answer if they complete a request."""
        self._buffer += data
        self._go_on()

    def _go_on(self) -> None:
        while not self._answering and self._transport is not None:
            try:
                received = self._request()
            except BadRequestError as error:
                self._write(json_reply({"error": {"message": str(error)}}, 400))
                self.close()
                return
            if received is None:
                return
            self._answering = True
            self._answer(self._handle(received))

    def _request(self) -> Received | None:
        """Take the next whole request out of the buffer; nothing if it is not all there."""
        end = self._buffer.find(END_OF_HEAD)
        if end < 0:
            if len(self._buffer) > HEAD_MOST:
                raise BadRequestError("the head of the request never ends")
            return None
        method, target, headers = _head(bytes(self._buffer[:end]))
        start, length = end + len(END_OF_HEAD), _length(headers)
        if len(self._buffer) < start + length:
            if headers.get("expect", "").lower() == "100-continue" and len(self._buffer) == start:
                self._send(b"HTTP/1.1 100 Continue\r\n\r\n")
            return None
        body = bytes(self._buffer[start : start + length])
        del self._buffer[: start + length]
        parts = urlsplit(target)
        return Received(method=method, path=parts.path, query=dict(parse_qsl(parts.query)), headers=headers, body=body)

    def _answer(self, reply: Reply) -> None:
        if reply.wire is Wire.HANG:
            return
        if reply.pieces or reply.after_s:
            self._answer_later(reply)
        else:
            self._answer_now(reply)

    def _answer_later(self, reply: Reply) -> None:
        loop = asyncio.get_running_loop()
        if not reply.pieces:
            loop.call_later(reply.after_s, self._answer_now, reply)
            return
        loop.call_later(reply.after_s, self._send, _head_of(reply, "Transfer-Encoding: chunked"))
        whens = accumulate((wait for wait, _ in reply.pieces), initial=reply.after_s)
        next(whens)
        when = reply.after_s
        for when, (_, piece) in zip(whens, reply.pieces, strict=True):
            loop.call_later(when, self._send, b"%x\r\n%b\r\n" % (len(piece), piece))
        loop.call_later(when, self._send, LAST_CHUNK)
        loop.call_later(when, self._done)

    def _answer_now(self, reply: Reply) -> None:
        if reply.wire is Wire.BEFORE:
            self.close()
            return
        self._write(reply)
        if reply.wire is Wire.AMID:
            self.close()
        else:
            self._done()

    def _done(self) -> None:
        self._answering = False
        self._go_on()

    def _write(self, reply: Reply) -> None:
        body = reply.body[: len(reply.body) // 2] if reply.wire is Wire.AMID else reply.body
        self._send(_head_of(reply, f"Content-Length: {len(reply.body)}") + body)

    def _send(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)


def _head(head: bytes) -> tuple[str, str, dict[str, str]]:
    """Return method, target and headers."""
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):  # noqa: PLR2004  # method, target, version
        raise BadRequestError("expected a line of HTTP/1.1")
    pairs = (line.partition(":") for line in lines)
    return words[0], words[1], {name.strip().lower(): value.strip() for name, _, value in pairs}


def _length(headers: Mapping[str, str]) -> int:
    text = headers.get("content-length", "0")
    if "transfer-encoding" in headers or not (text.isascii() and text.isdigit()):
        raise BadRequestError("expected a body with its Content-Length")
    return int(text)


def _head_of(reply: Reply, framing: str) -> bytes:
    headers = {"Content-Type": "application/json", **reply.headers}
    lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}", framing]
    return "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items()), "", ""]).encode("latin-1")


@asynccontextmanager
async def listening(handle: Handle, host: str, port: int) -> AsyncGenerator[int]:
    """Serve while the block runs; yields the port, which the system chooses where `port` is 0.

    Raises:
        OSError: the address is taken, or is not one of this machine's.
    """
    live: set[Connection] = set()
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(handle, live), host, port, backlog=BACKLOG
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for connection in list(live):
            connection.close()
