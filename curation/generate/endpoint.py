"""Asks a model: one request, one answer. Any OpenAI-compatible endpoint will do.

A request is plain data, and its key is the hash of what is asked: never the address, never the API key.
"""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

from schemas.codec import sha256_of
from schemas.errors import EndpointError

KEY_VARIABLE = "OPENAI_API_KEY"
NO_KEY = "none"
"""Sent where no key is set: servers on one's own machine take any."""
RETRIES = 6
"""Times a request is sent again after 408, 409, 429, 5xx or a broken connection, ever later or as Retry-After says."""
TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a model is asked: chat messages, or a text to continue."""

    messages: tuple[Mapping[str, str], ...] = ()
    """`{role, content}` each; empty for a completion."""
    prompt: str = ""
    """The text to continue; empty for a chat."""
    temperature: float = 0.7
    max_tokens: int = 256
    """Most tokens of the answer."""
    seed: int = 0
    """Names the sample: the same request with another seed is another request."""

    def key(self, model: str) -> str:
        """Return the identity of this request to this model."""
        return sha256_of({"model": model, **asdict(self)})[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a model said."""

    text: str
    finish_reason: str
    """`stop`: it ended by itself; `length`: it was cut."""
    model: str
    """The model as the server names it."""
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Endpoint(Protocol):
    """Something that answers requests, from several threads at once."""

    model: str
    """The model that is asked for."""

    def ask(self, request: Request, /) -> Mapping[str, Any]:
        """Return the raw answer, in the shape of the OpenAI API.

        Raises:
            EndpointError: it cannot be used; asking again would not help.
        """


def read_answer(raw: Mapping[str, Any]) -> Answer:
    """Read a raw answer; what a server left out is empty."""
    choice = (raw.get("choices") or [{}])[0]
    usage = raw.get("usage") or {}
    text = choice.get("text") if "text" in choice else (choice.get("message") or {}).get("content")
    return Answer(
        text=text or "",
        finish_reason=choice.get("finish_reason") or "",
        model=raw.get("model") or "",
        prompt_tokens=usage.get("prompt_tokens") or 0,
        completion_tokens=usage.get("completion_tokens") or 0,
    )


class OpenAIEndpoint:
    """An endpoint that speaks the OpenAI API, through its own client."""

    def __init__(
        self, base_url: str | None, model: str, *, retries: int = RETRIES, timeout_s: float = TIMEOUT_S
    ) -> None:
        """Connect to nothing yet; `base_url` None is the client's own default."""
        from openai import OpenAI

        self.model, self._key = model, os.environ.get(KEY_VARIABLE, "")
        self.address = without_secrets(base_url or "")
        self._client = OpenAI(base_url=base_url, api_key=self._key or NO_KEY, max_retries=retries, timeout=timeout_s)

    def ask(self, request: Request, /) -> Mapping[str, Any]:
        """Send the request and return the raw answer."""
        import openai

        try:
            return self._send(request)
        except openai.APIStatusError as error:
            raise self._unusable(f"answered {error.status_code}: {error.message}") from None
        except openai.APIConnectionError as error:
            raise self._unusable(f"cannot be reached: {error.__cause__ or error}") from None

    def _send(self, request: Request) -> Mapping[str, Any]:
        options: dict[str, Any] = {
            "model": self.model,
            "temperature": request.temperature,
            "max_tokens": request.max_tokens,
            "seed": request.seed,
        }
        if request.prompt:
            answer: Any = self._client.completions.create(prompt=request.prompt, **options)
        else:
            messages: Any = list(request.messages)
            answer = self._client.chat.completions.create(messages=messages, **options)
        return dict(answer.model_dump())

    def _unusable(self, what: str) -> EndpointError:
        """Return the error in the provider's words, without the key that some of them repeat."""
        words = what.replace(self._key, "***") if self._key else what
        return EndpointError(f"the endpoint {self.address or 'of the OpenAI client'} (model {self.model}) {words}")


def without_secrets(url: str) -> str:
    """Return an address without user, password and query, any of which may hold a key."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))
