"""A client that sees every byte: what the tests of the mock endpoint ask with."""

import http.client
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from curation.mock.serve import Running
from schemas.codec import dumps, loads

HELLO: Mapping[str, Any] = {"model": "mock", "messages": [{"role": "user", "content": "Why does bread rise?"}]}


class Got(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body read as JSON."""
        return loads(self.body)

    @property
    def text(self) -> str:
        """What the model said."""
        text: str = self.json["choices"][0]["message"]["content"]
        return text


def send(
    running: Running, method: str, path: str, body: bytes = b"", *, wait_s: float | None = None, **headers: str
) -> Got:
    """Send one request over a connection of its own; waits for the answer, or so many seconds at most."""
    parts = urlsplit(running.address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=wait_s)
    try:
        connection.request(method, f"{parts.path}{path}", body=body, headers=headers)
        response = connection.getresponse()
        return Got(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
    finally:
        connection.close()


def ask(running: Running, *, wait_s: float | None = None, **more: Any) -> Got:
    """Ask for a chat completion."""
    return send(running, "POST", "/chat/completions", dumps({**HELLO, **more}), wait_s=wait_s)


def said(text: str) -> dict[str, Any]:
    """Return a request whose only message is this."""
    return {"messages": [{"role": "user", "content": text}]}
