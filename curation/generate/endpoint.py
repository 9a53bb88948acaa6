"""What is asked of a model and what comes back; `curation.generate.web` speaks to endpoints, wrappers add to it.

An endpoint is one method, `ask`. What a run needs besides is put around it, one wrapper a file: the journal that never
asks twice, the budget, the limiter that learns what the endpoint can bear.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from curation.generate.headers import NO_LIMITS, Limits
from schemas.codec import sha256_of
from schemas.record import Row

REFUSED = "refused"
"""Finish reason of a request that the endpoint would not take."""
BROKEN = "broken"
"""Finish reason of a request to which the endpoint gave nothing readable, several times."""
UNANSWERED = "unanswered"
"""Finish reason of a request that has no answer in the journal, where nothing is sent (`--reparse`)."""
TRUNCATED = "length"
"""Finish reason of an answer that reached its token limit."""


class Message(NamedTuple):
    """One turn of a chat."""

    role: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked: everything that can change the answer, and nothing else (no address, no key)."""

    model: str
    messages: tuple[Message, ...]
    params: Mapping[str, int | float] = field(default_factory=dict)
    """Sampling parameters as the API names them."""
    sample: int = 0
    """Tells apart requests that ask the same again on purpose."""
    constraint: Mapping[str, Any] = field(default_factory=dict)
    """What the server is told of the answer's form: `response_format`, `tools`, `tool_choice`."""
    prompt: str = ""
    """A raw prompt to be continued, instead of messages; only some endpoints take one."""

    def plain(self) -> dict[str, Any]:
        """Return the request as plain data."""
        asked: dict[str, Any] = {"messages": [message._asdict() for message in self.messages]}
        if self.prompt:
            asked = {"prompt": self.prompt}
        if self.constraint:
            asked["constraint"] = dict(self.constraint)
        api = "completion" if self.prompt else "chat"
        return {"api": api, "model": self.model, **asked, "params": dict(self.params), "sample": self.sample}

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
    """What the model wrote: its message, or the arguments of the tool it called."""
    reasoning: str = ""
    """What it thought before, where the server hands that over apart."""
    finish_reason: str = ""
    """`stop`, `length`, or what the server calls it; `refused` or `broken` where it gave no answer."""
    model: str = ""
    """The model that says it answered."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    limits: Limits = NO_LIMITS
    """What the endpoint said of its limits; of this moment, so not in the journal."""


class Endpoint(Protocol):
    """Answers requests, several at a time."""

    async def ask(self, request: Request) -> Answer:
        """Return the answer.

        Raises:
            EndpointError: it cannot be had, now or later.
        """


def read_answer(body: Row) -> Answer:
    """Read a completion; what is missing stays empty, for the caller to reject."""
    choice = _first(body.get("choices"))
    message = _mapping(choice.get("message"))
    usage = _mapping(body.get("usage"))
    return Answer(
        body=body,
        text=_text(message.get("content")) or _arguments(message) or _text(choice.get("text")),
        reasoning=_text(message.get("reasoning_content")) or _text(message.get("reasoning")),
        finish_reason=_text(choice.get("finish_reason")) or _without_choice(body),
        model=_text(body.get("model")),
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
    )


def _without_choice(body: Row) -> str:
    """Return the finish reason of a body that is no completion."""
    if "error" not in body:
        return ""
    return BROKEN if BROKEN in body else REFUSED


def _arguments(message: Mapping[str, Any]) -> str:
    """Return the arguments of the first tool that was called."""
    call = _first(message.get("tool_calls"))
    return _text(_mapping(call.get("function")).get("arguments"))


def _first(value: object) -> Mapping[str, Any]:
    return _mapping(value[0]) if isinstance(value, list) and value else {}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _count(value: object) -> int | None:
    return value if isinstance(value, int) else None
