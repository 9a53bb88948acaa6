"""Keeps everybody else out: other pages in the same browser, other names for this machine, other people's scripts.

A page is served only to whoever holds the session's cookie, which a token in the first URL is exchanged for, once.
`Host` must be a name of this server (against DNS rebinding); what changes something must come from its own pages
(`Sec-Fetch-Site`, or `Origin` where a browser does not send that).
"""

import hmac
import ipaddress
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, QueryParams
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
SAFE = ("GET", "HEAD")
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(slots=True, kw_only=True)
class Keys:
    """The secrets of one run."""

    port: int
    host: str = "127.0.0.1"
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    """What the printed URL carries."""
    reusable: bool = False
    """True for a token that a person chose; one of ours opens one browser."""
    session: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    """What the cookie carries."""
    used: bool = False

    @property
    def cookie(self) -> str:
        """The cookie's name: browsers share cookies among all ports of a host, and two reviews may run at once."""
        return f"dolly_review_{self.port}"

    def opens(self, token: str) -> bool:
        """Say whether a token opens a session; ours does so once."""
        if (self.used and not self.reusable) or not hmac.compare_digest(token.encode(), self.token.encode()):
            return False
        self.used = True
        return True


class Guard:
    """The middleware around the whole application."""

    def __init__(self, app: ASGIApp, keys: Keys) -> None:
        self._app, self._keys = app, keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what is refused; pass on everything else."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = self._answer(scope, Headers(scope=scope))
        await (answer or self._app)(scope, receive, _with_headers(send))

    def _answer(self, scope: Scope, headers: Headers) -> Response | None:
        """Return the refusal, or the exchange of the token for a cookie; None lets the request pass."""
        if not _is_named(headers.get("host", ""), self._keys):
            return PlainTextResponse("This server is not called that.", 421)
        if scope["method"] not in SAFE and not _is_own(headers):
            return PlainTextResponse("Not from one of this server's own pages.", 403)
        if scope["path"].startswith("/static/"):
            return None
        token = QueryParams(scope["query_string"]).get("token", "")
        if token and self._keys.opens(token):
            return _session(self._keys)
        cookie = cookie_parser(headers.get("cookie", "")).get(self._keys.cookie, "")
        if hmac.compare_digest(cookie.encode(), self._keys.session.encode()):
            return RedirectResponse("/", 303) if token else None
        words = "Open the address that dolly-data review printed. It works once; run the command again for a new one."
        return PlainTextResponse(words, 403)


def _session(keys: Keys) -> Response:
    answer = RedirectResponse("/", 303)
    answer.set_cookie(keys.cookie, keys.session, httponly=True, samesite="strict")
    return answer


def _is_named(host: str, keys: Keys) -> bool:
    """Say whether a Host header names this server: its own name, or its address, which no foreign name can be."""
    try:
        parts = urlsplit(f"//{host}")
        name, port = parts.hostname or "", parts.port or 80
    except ValueError:
        return False
    if port != keys.port:
        return False
    if keys.host in LOOPBACK:
        return name in LOOPBACK
    return name == keys.host or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_own(headers: Headers) -> bool:
    """Say whether a request that changes something comes from a page of this server."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


def _with_headers(send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            more: list[Any] = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
            message = {**message, "headers": [*message["headers"], *more]}
        await send(message)

    return guarded
