"""What is asked of a model and what comes back: any OpenAI-compatible endpoint, through the `openai` client.

The client itself retries rate limits (429), server errors (5xx), lost connections and timeouts, with growing pauses
and Retry-After. What waiting cannot mend (401, 403, 404, nobody there) is an `EndpointError` at once. The key comes
from the environment and is taken out of everything that is said.
"""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

from schemas.codec import loads, sha256_of
from schemas.errors import EndpointError
from schemas.record import Row

KEY_VARIABLE = "OPENAI_API_KEY"
NO_KEY = "none"
"""Sent where no key is set: servers on one's own machine want none, others will say what they want."""
REDACTED = "[redacted]"
MAX_RETRIES = 5
WORDS_MOST = 300
"""Characters of an endpoint's own words that are passed on."""
RENAMED = {"max_tokens": "max_completion_tokens"}
"""Parameter → what models that do not take it under this name call it."""
DROPPED = ""
"""The name of a parameter that a model does not take at all."""
REFUSED = "refused"
"""Finish reason of a request that the endpoint would not take."""


class Message(NamedTuple):
    """One turn of a chat."""

    role: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked: everything that can change the answer, and nothing else (no address, no key)."""

    model: str
    messages: tuple[Message, ...]
    params: Mapping[str, float] = field(default_factory=dict)
    """Sampling parameters as the API names them."""
    sample: int = 0
    """Tells apart requests that ask the same again on purpose."""

    def plain(self) -> dict[str, Any]:
        """Return the request as plain data."""
        return {
            "api": "chat",
            "model": self.model,
            "messages": [message._asdict() for message in self.messages],
            "params": dict(self.params),
            "sample": self.sample,
        }

    @property
    def key(self) -> str:
        """Hex sha256 of the request: the same question has the same key, today and tomorrow."""
        return sha256_of(self.plain())


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back."""

    body: Row
    """As it was received."""
    text: str = ""
    finish_reason: str = ""
    """`stop`, `length`, or what the server calls it; `refused` where it would not take the request."""
    model: str = ""
    """The model that says it answered."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class Endpoint(Protocol):
    """Answers requests, several at a time."""

    async def ask(self, request: Request) -> Answer:
        """Return the answer.

        Raises:
            EndpointError: it cannot be had, now or later.
        """


def read_answer(body: Row) -> Answer:
    """Read a chat completion; what is missing stays empty, for the caller to reject."""
    choice = _first(body.get("choices"))
    message = _mapping(choice.get("message"))
    usage = _mapping(body.get("usage"))
    return Answer(
        body=body,
        text=_text(message.get("content")),
        finish_reason=_text(choice.get("finish_reason")) or (REFUSED if "error" in body else ""),
        model=_text(body.get("model")),
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
    )


def _first(value: object) -> Mapping[str, Any]:
    return _mapping(value[0]) if isinstance(value, list) and value else {}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _count(value: object) -> int | None:
    return value if isinstance(value, int) else None


@asynccontextmanager
async def open_endpoint(base_url: str, *, timeout_s: float, own: bool = False) -> AsyncIterator["OpenAIEndpoint"]:
    """Open the endpoint at `base_url`; `own`: a server of ours on loopback, which gets no key of anyone's.

    Raises:
        EndpointError: no http address.
    """
    import openai  # 1 s

    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise EndpointError(f"--base-url {base_url}: expected an address such as http://localhost:8000/v1")
    key = "" if own else os.environ.get(KEY_VARIABLE, "")
    # a proxy named in the environment cannot reach this machine's own loopback
    web = openai.DefaultAsyncHttpxClient(trust_env=not is_loopback(parts.hostname))
    async with openai.AsyncOpenAI(
        base_url=base_url, api_key=key or NO_KEY, timeout=timeout_s, max_retries=MAX_RETRIES, http_client=web
    ) as client:
        place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        yield OpenAIEndpoint(client, place=place, secrets=tuple(filter(None, (key, parts.password))))


def is_loopback(host: str) -> bool:
    """Say whether a host name is this machine itself."""
    return host in ("localhost", "::1") or host.startswith("127.")


class OpenAIEndpoint:
    """An endpoint that speaks OpenAI's chat completions."""

    def __init__(self, client: Any, *, place: str, secrets: tuple[str, ...] = ()) -> None:
        self._client, self._place, self._secrets = client, place, secrets
        self._has_answered = False
        self._called: dict[str, str] = {}

    async def ask(self, request: Request) -> Answer:
        """Return the answer to a request."""
        import openai

        try:
            got = await self._sent(request)
        except openai.BadRequestError as error:
            if self._learn(error, request):
                return await self.ask(request)
            return self._refused(error)
        except openai.OpenAIError as error:
            # no `from`: the cause may hold the key, in its headers or in what the provider says
            raise EndpointError(self._words(error)) from None
        answer = read_answer(self._json(got.content))
        self._has_answered = True
        return answer

    async def _sent(self, request: Request) -> Any:
        params = {self._called.get(name, name): value for name, value in request.params.items()}
        params.pop(DROPPED, None)
        messages = [message._asdict() for message in request.messages]
        create = self._client.chat.completions.with_raw_response.create
        return await create(model=request.model, messages=messages, **params)

    def _learn(self, error: Any, request: Request) -> bool:
        """Note that the model knows a parameter by another name, or not at all; return whether that was news."""
        name = str(error.param)
        if name not in request.params or name in self._called or not str(error.code).startswith("unsupported"):
            return False
        self._called[name] = RENAMED.get(name, DROPPED)
        return True

    def _refused(self, error: Any) -> Answer:
        """Take a refusal of one request as its answer; before anything was answered it is the endpoint's of us."""
        if not self._has_answered:
            raise EndpointError(self._words(error)) from None
        return read_answer({"error": self._said(error)})

    def _json(self, content: bytes) -> Row:
        try:
            body = loads(content)
        except ValueError:
            body = None
        if not isinstance(body, Mapping):
            found = self._redacted(content.decode(errors="replace"))[:WORDS_MOST]
            raise EndpointError(f"{self._place}: expected a chat completion in JSON, found {found!r}")
        return body

    def _words(self, error: Any) -> str:
        status = getattr(error, "status_code", None)
        hint = f" ({KEY_VARIABLE} is not set)" if status in UNAUTHORIZED and not self._secrets else ""
        return f"{self._place}: {self._said(error)}{hint}; the answers so far are kept"

    def _said(self, error: Any) -> str:
        said = str(error) if hasattr(error, "status_code") else f"{error}{_cause(error)}"
        return self._redacted(said)[:WORDS_MOST]

    def _redacted(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, REDACTED)
        return text


UNAUTHORIZED = (401, 403)


def _cause(error: BaseException) -> str:
    """Say why a connection failed, in the words of whoever first saw it; the client only says that it did."""
    first = error
    while (before := first.__cause__ or first.__context__) is not None:
        first = before
    return f" ({first})" if first is not error else ""
