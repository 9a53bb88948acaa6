"""Any OpenAI-compatible endpoint over HTTP: one attempt at a request, and what its failure means.

Nothing is repeated here; `curation.generate.limiter` decides about that. So the `openai` package, whose client repeats
by itself and takes three times the processor time of all of this (`benchmarks/endpoint_client.py`), is not in this
path; files and jobs of the Batch API, of which there are few, go through it. The key comes from the environment and is
taken out of everything that is said.
"""

import base64
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, NamedTuple

from curation.generate.address import Address, read_address
from curation.generate.endpoint import Answer, Request, read_answer
from curation.generate.headers import NO_LIMITS, Limits, read_limits
from curation.generate.statuses import (
    BROKEN_FROM,
    BUSY,
    HOPELESS,
    OK,
    PASSING,
    REDIRECT,
    TOO_MANY,
    UNAUTHORIZED,
    error_in,
    is_empty_quota,
    unsupported_in,
)
from curation.generate.trouble import BusyError, FaultError
from schemas.codec import dumps, loads
from schemas.errors import EndpointError
from schemas.record import Row

KEY_VARIABLE = "OPENAI_API_KEY"
ANSWER_KEY_VARIABLE = "OPENAI_ANSWER_API_KEY"
"""Holds the key for the endpoint of the answers, which must not be shown that of the first."""
NO_KEY = "none"
"""Sent where no key is set: servers on one's own machine want none, others will say what they want."""
REDACTED = "[redacted]"
WORDS_MOST = 300
"""Characters of an endpoint's own words that are passed on."""
RENAMED = {"max_tokens": "max_completion_tokens"}
"""Parameter → what models that do not take it under this name call it."""
DROPPED = ""
"""The name of a parameter that a model does not take at all."""


class Received(NamedTuple):
    """What came over the wire."""

    status: int
    headers: Mapping[str, str]
    content: bytes


@asynccontextmanager
async def open_endpoint(
    base_url: str, *, timeout_s: float, own: bool = False, key_variable: str = KEY_VARIABLE
) -> AsyncIterator["OpenAIEndpoint"]:
    """Open the endpoint at `base_url`; `own`: a server of ours on loopback, which gets no key of anyone's.

    Raises:
        EndpointError: no http address.
    """
    import aiohttp  # 0.2 s

    address = read_address(base_url)
    key = "" if own else os.environ.get(key_variable, "")
    async with aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=timeout_s, sock_connect=min(timeout_s, 10)),
        connector=aiohttp.TCPConnector(limit=0),  # the limiter counts
        headers={"Authorization": _authorization(key, address.user, address.password)},
        trust_env=not is_loopback(address.host),  # a proxy cannot reach this machine's own loopback
    ) as session:
        yield OpenAIEndpoint(session, address, key=key, key_variable=key_variable)


def is_loopback(host: str) -> bool:
    """Say whether a host name is this machine itself."""
    return host in ("localhost", "::1") or host.startswith("127.")


class OpenAIEndpoint:
    """An endpoint that speaks OpenAI's chat completions, and completions of raw prompts."""

    def __init__(self, session: Any, address: Address, *, key: str = "", key_variable: str = KEY_VARIABLE) -> None:
        self._session, self._address = session, address
        self._secrets = tuple(filter(None, (key, *address.secrets)))
        self._no_key = "" if key or address.password else f" ({key_variable} is not set)"
        self.place = address.place
        """Scheme and host, for people."""
        self.answered: set[str] = set()
        """Models that have answered, in this run or an earlier one: what they refuse is one request."""
        self._called: dict[str, str] = {}

    async def ask(self, request: Request) -> Answer:
        """Return the answer to one attempt.

        Raises:
            BusyError: not now.
            FaultError: nothing came, or nothing readable; another attempt may help.
            EndpointError: no attempt will help.
        """
        path = "/completions" if request.prompt else "/chat/completions"
        body = self.body(request)
        received = await self.send("POST", path, body)
        if received.status == OK:
            return self._answer(received, request.model)
        if self.learn(error_in(received.content), request.params):
            return await self.ask(request)
        self.raise_for(received)
        if self.body(request) != body:  # another request has learnt meanwhile what was wrong with this one
            return await self.ask(request)
        return self._refused(received, request)

    async def send(self, method: str, path: str, body: Row | None = None) -> Received:
        """Send one HTTP request to a path under the base address.

        Raises:
            FaultError: no answer came.
        """
        import aiohttp

        data = None if body is None else dumps(body)
        headers = {"Content-Type": "application/json"} if data else None
        try:
            async with self._session.request(method, self._address.url(path), data=data, headers=headers) as got:
                return Received(got.status, got.headers, await got.read())
        except TimeoutError:
            raise FaultError(f"{self.place}: no answer within the time limit") from None
        except aiohttp.ClientError as error:
            # no `from`: the cause may hold the key
            words = self._redacted(str(error) or type(error).__name__)
            raise FaultError(f"{self.place}: {words}") from None

    async def called(self, work: Callable[[Any], Awaitable[Any]]) -> Received:
        """Return what one call of the `openai` client comes to: `work` gets it, with raw responses to be returned.

        Raises:
            FaultError: no answer came.
        """
        import openai

        headers = {"Authorization": self._session.headers["Authorization"]}
        http = openai.DefaultAsyncHttpxClient(trust_env=self._session.trust_env)
        client = openai.AsyncOpenAI(
            base_url=self._address.base,
            api_key=NO_KEY,
            default_headers=headers,
            default_query=self._address.params,
            max_retries=0,
            http_client=http,
        )
        try:
            async with client:
                got = (await work(client)).http_response
        except openai.APIStatusError as error:
            got = error.response
        except openai.APIConnectionError as error:
            raise FaultError(f"{self.place}: {self._redacted(str(error))}") from None
        return Received(got.status_code, got.headers, got.content)

    @asynccontextmanager
    async def streamed(self, method: str, path: str, body: Row) -> AsyncIterator[AsyncIterator[bytes]]:
        """Send one HTTP request; yields the lines of its answer as they come.

        Raises:
            FaultError: the connection was lost.
        """
        import aiohttp

        headers = {"Content-Type": "application/json"}
        try:
            async with self._session.request(method, self._address.url(path), data=dumps(body), headers=headers) as got:
                yield got.content
        except aiohttp.ClientError as error:
            raise FaultError(f"{self.place}: {self._redacted(str(error))}") from None

    def named(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return parameters under the names that the model knows them by."""
        named = {self._called.get(name, name): value for name, value in params.items()}
        named.pop(DROPPED, None)
        return named

    def body(self, request: Request) -> Row:
        """Return what is sent: parameters under the names that the model knows."""
        params = self.named(request.params)
        if request.prompt:
            return {"model": request.model, "prompt": request.prompt, **params}
        messages = [message._asdict() for message in request.messages]
        return {"model": request.model, "messages": messages, **params, **request.constraint}

    def _answer(self, received: Received, model: str) -> Answer:
        try:
            body = loads(received.content)
        except ValueError:
            body = None
        if not isinstance(body, Mapping):
            raise FaultError(self._not_a_completion(received), received=True)
        answer = read_answer(body)
        if not body.get("choices"):
            raise FaultError(self._not_a_completion(received), received=True)
        self.answered.add(model)
        limits = _limits(received.headers)
        return answer if limits is NO_LIMITS else replace(answer, limits=limits)

    def _not_a_completion(self, received: Received) -> str:
        found = self._redacted(received.content.decode(errors="replace"))[:WORDS_MOST]
        return f"{self.place}: expected a chat completion in JSON, found {found!r}"

    def learn(self, error: object, params: Mapping[str, Any]) -> bool:
        """Note that the model knows a parameter by another name, or not at all; return whether that was news."""
        name = unsupported_in(error, params)
        if not name or name in self._called:
            return False
        self._called[name] = RENAMED.get(name, DROPPED)
        return True

    def raise_for(self, received: Received) -> None:
        """Raise what a status means, unless it is about this one request.

        Raises:
            BusyError: not now.
            FaultError: another attempt may help.
            EndpointError: no attempt will help.
        """
        status, said = received.status, self.words_of(received)
        limits = read_limits(received.headers, said)
        if status in HOPELESS or (status == TOO_MANY and is_empty_quota(said, limits)):
            raise EndpointError(said)
        if status in BUSY:
            raise BusyError(said, limits=limits)
        if status >= BROKEN_FROM or status in PASSING or status < REDIRECT:
            raise FaultError(said, status=status)

    def _refused(self, received: Received, request: Request) -> Answer:
        """Take a refusal of one request as its answer.

        Raises:
            FaultError: the model has not answered anything: it may refuse whatever we send. When it has, ask again.
        """
        if not (request.model in self.answered or request.constraint):
            raise FaultError(self.words_of(received), status=received.status)
        return read_answer({"error": self._said(received)})

    def words_of(self, received: Received) -> str:
        """Return what an error says, for people."""
        hint = self._no_key if received.status in UNAUTHORIZED else ""
        return f"{self.place}: {self._said(received)}{hint}"

    def _said(self, received: Received) -> str:
        error = error_in(received.content)
        message = error.get("message") or received.content.decode(errors="replace")
        code = error.get("code") or error.get("type")
        said = f"{received.status}: {message}" + (f" ({code})" if code and isinstance(code, str) else "")
        return self._redacted(said)[:WORDS_MOST]

    def _redacted(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, REDACTED)
        return text


def _authorization(key: str, user: str, password: str) -> str:
    if password and not key:
        return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    return f"Bearer {key or NO_KEY}"


def _limits(headers: Mapping[str, str]) -> Limits:
    """Return the limits that an answer tells of; most tell nothing, and then nothing is parsed."""
    told = "x-ratelimit-remaining-requests" in headers or "x-ratelimit-remaining" in headers
    return read_limits(headers) if told or "ratelimit-remaining" in headers else NO_LIMITS
