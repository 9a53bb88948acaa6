"""What is answered at each address: chat completions, completions of raw prompts, models, files and batches."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Any

from curation.mock import model
from curation.mock.batches import Batches
from curation.mock.faults import Faults
from curation.mock.http import BadRequestError, Received, Reply, Wire, json_object, json_reply
from curation.mock.ledger import Entry, Ledger
from curation.mock.limits import Limits, Slots
from schemas.codec import dumps, sha256_of
from schemas.errors import InputError

CHAT, TEXT = "/chat/completions", "/completions"
OK, BAD, UNAUTHORIZED, FORBIDDEN, MISSING, TOO_MANY, BROKEN, BUSY = 200, 400, 401, 403, 404, 429, 500, 503
REFUSALS = {
    "unauthorized": (UNAUTHORIZED, "invalid_api_key", "Incorrect API key provided: {key}."),
    "forbidden": (FORBIDDEN, "forbidden", "You are not allowed to use this model."),
    "not_found": (MISSING, "model_not_found", "The model `{model}` does not exist or you do not have access to it."),
    "quota": (TOO_MANY, "insufficient_quota", "You exceeded your current quota, please check your plan and billing."),
}
"""Refusal of everything → status, code and words."""
ERRORS = {
    "limit_seconds": (TOO_MANY, "rate_limit_exceeded", "Too many requests."),
    "limit_date": (TOO_MANY, "rate_limit_exceeded", "Too many requests."),
    "limit_words": (TOO_MANY, "rate_limit_exceeded", ""),
    "limit_silent": (TOO_MANY, "", "Too many requests."),
    "server_error": (BROKEN, "", "The server had an error while processing your request."),
    "unavailable": (BUSY, "", "The engine is currently overloaded, please try again later."),
}
"""Fault → status, code and words; no words: when to come back."""
RETRY_S = 1
"""Seconds after which a 429 that was only a fault says to come back."""
WIRES = {
    "hang": Wire.HANG,
    "disconnect_before": Wire.BEFORE,
    "disconnect_amid": Wire.AMID,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MockEndpoint:
    """How the endpoint behaves."""

    seed: int = 1
    """Decides what is said, and whom the faults hit."""
    model: str = "mock"
    """The model that `/models` lists; any other is answered as well."""
    faults: Mapping[str, float] = field(default_factory=dict)
    """Fault, one of FAULTS → share (0 to 1) of attempts or answers that have it."""
    retry_after_s: float = RETRY_S
    """Seconds after which a 429 that is a fault says to come back."""
    latency_s: float = 0.0
    """Seconds until the first token."""
    tokens_per_s: float = 0.0
    """Tokens a second of one answer; 0: all at once."""
    slots: int = 0
    """Requests worked on at a time, others wait; 0: any number."""
    requests_per_s: float = 0.0
    """Requests a second, further ones get a 429; 0: any number."""
    tokens_per_minute: float = 0.0
    """Tokens a minute, further ones get a 429; 0: any number."""
    quota_tokens: int = 0
    """Tokens after which the account is empty; 0: never."""
    refuse: str = ""
    """One of REFUSALS: everything is refused so."""
    api_key: str = ""
    """The key that is wanted; empty: none."""
    batch_s: float = 0.0
    """Seconds until a batch is done."""
    batch_done: float = 1.0
    """Share (0 to 1) of its requests that a batch answers before it expires."""
    ledger: str = ""
    """File of the ledger; empty: none is kept."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot be meant."""
        Faults(rates=self.faults, seed=self.seed)
        if self.refuse and self.refuse not in REFUSALS:
            raise InputError(place="--refuse", expected=f"one of {', '.join(REFUSALS)}", found=self.refuse)


class RefusedError(Exception):
    """A request that is answered by an error."""

    def __init__(self, status: int, code: str, words: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(words)
        self.status, self.code, self.headers = status, code, headers or {}

    @property
    def body(self) -> dict[str, Any]:
        """The error as the API words it."""
        kind = self.code or ("server_error" if self.status >= BROKEN else "invalid_request_error")
        return {"error": {"message": str(self), "type": kind, "param": None, "code": self.code or None}}


class Service:
    """A running endpoint: its settings, and what it has seen."""

    def __init__(self, settings: MockEndpoint) -> None:
        self.settings = settings
        self.ledger = Ledger(Path(settings.ledger) if settings.ledger else None)
        self._faults = Faults(rates=settings.faults, seed=settings.seed)
        self._limits = Limits(requests_per_s=settings.requests_per_s, tokens_per_minute=settings.tokens_per_minute)
        self._slots = Slots(settings.slots)
        self._attempts: Counter[str] = Counter()
        self._batches = Batches(work=self._in_batch, takes_s=settings.batch_s, done=settings.batch_done)

    def handle(self, received: Received) -> Reply:
        """Answer a request."""
        path = received.path.removeprefix("/v1").rstrip("/")
        try:
            self._admit(received)
            if received.method == "POST" and path in (CHAT, TEXT):
                return self._completion(_read(received), path)
            return self._other(received, path)
        except BadRequestError as error:
            return self._refused(RefusedError(BAD, "", str(error)), sha256_of(received.body.decode("latin-1")), path)
        except RefusedError as error:
            return self._refused(error, sha256_of(received.body.decode("latin-1")), path)

    def _refused(self, error: RefusedError, key: str, path: str, fault: str = "") -> Reply:
        """Answer by an error, which costs nothing."""
        if path in (CHAT, TEXT):
            self._enter(key, path, error.status, fault)
        return json_reply(error.body, error.status, headers={**self._limits.headers(), **error.headers})

    def _admit(self, received: Received) -> None:
        """Refuse everything, if the settings say so, and whoever has not the key."""
        key = received.headers.get("authorization", "").removeprefix("Bearer ")
        wrong = self.settings.refuse or ("unauthorized" if self.settings.api_key not in ("", key) else "")
        if wrong:
            status, code, words = REFUSALS[wrong]
            raise RefusedError(status, code, words.format(key=key, model=self.settings.model))

    def _other(self, received: Received, path: str) -> Reply:
        """Answer what is no completion."""
        found = self._batches.answer(received, path, time.time())
        if path == "/models":
            found = json_reply({"object": "list", "data": [self._model()]})
        if path == f"/models/{self.settings.model}":
            found = json_reply(self._model())
        if found is None:
            raise RefusedError(MISSING, "not_found", f"Nothing here: {received.method} {received.path}")
        return found

    def _model(self) -> dict[str, object]:
        return {"id": self.settings.model, "object": "model", "created": 0, "owned_by": "dolly-data mock-endpoint"}

    def _completion(self, body: Mapping[str, Any], path: str) -> Reply:
        """Answer a request for a completion, with the fault that hits it."""
        key = sha256_of(body)
        self._attempts[key] += 1
        fault = self._faults.of_attempt(key, self._attempts[key])
        if refusal := _refusal(fault, self.settings.retry_after_s):
            return self._refused(refusal, key, path, fault)
        answer_fault = self._faults.of_answer(key)
        made = self._made(body, key, path, fault if fault == "empty_choices" else answer_fault)
        if refusal := self._over_the_limit(made):
            return self._refused(refusal, key, path, refusal.code)
        self._enter(key, path, OK, fault or answer_fault, made)
        return self._reply(body, made, key, path, fault=fault, usage=answer_fault != "no_usage")

    def _made(self, body: Mapping[str, Any], key: str, path: str, fault: str) -> model.Completion:
        say = model.complete if path == CHAT else model.continue_text
        return say(body, key, seed=self.settings.seed, fault=fault)

    def _over_the_limit(self, made: model.Completion) -> RefusedError | None:
        """Return the refusal of a request that is one too many, else take it into account."""
        tokens = made.prompt_tokens + made.completion_tokens
        if self.settings.quota_tokens and self.ledger.tokens + tokens > self.settings.quota_tokens:
            return RefusedError(*REFUSALS["quota"])
        wait = self._limits.wait_s(tokens, time.monotonic())
        if not wait:
            return None
        return RefusedError(TOO_MANY, "rate_limit_exceeded", _limit_words(wait), {"Retry-After": f"{wait:.3f}"})

    def _reply(
        self, body: Mapping[str, Any], made: model.Completion, key: str, path: str, *, fault: str, usage: bool
    ) -> Reply:
        name = f"cmpl-{key[:16]}"
        now = time.monotonic()
        takes = self.settings.latency_s
        takes += made.completion_tokens / self.settings.tokens_per_s if self.settings.tokens_per_s else 0.0
        after = self._slots.done_at(now, takes) - now if takes or self.settings.slots else 0.0
        wire, headers = WIRES.get(fault, Wire.WHOLE), self._limits.headers()
        if path == CHAT and body.get("stream") and wire is Wire.WHOLE:
            return self._streamed(body, made, name, after - takes)
        if path == CHAT:
            plain = model.chat_body(made, name, logprobs=bool(body.get("logprobs")), usage=usage)
        else:
            plain = model.text_body(made, name, usage=usage)
        sent = dumps(plain)
        sent = sent[: len(sent) // 2] if fault == "broken_json" else sent
        return Reply(body=sent, headers=headers, after_s=after, wire=wire)

    def _streamed(self, body: Mapping[str, Any], made: model.Completion, name: str, waits_s: float) -> Reply:
        """Return the answer as a stream of events, each token at its time."""
        each = 1 / self.settings.tokens_per_s if self.settings.tokens_per_s else 0.0
        frame: dict[str, Any] = {"id": name, "object": "chat.completion.chunk", "created": 0, "model": made.model}
        events: list[tuple[float, dict[str, Any]]] = []
        for index, said in enumerate(made.choices):
            deltas = [{"content": piece} for piece in model.pieces(said.text)]
            choices: list[dict[str, Any]] = [{"index": index, "delta": one, "finish_reason": None} for one in deltas]
            choices.append({"index": index, "delta": {}, "finish_reason": said.finish})
            events += [(each, {**frame, "choices": [choice]}) for choice in choices]
        if (body.get("stream_options") or {}).get("include_usage"):
            events.append((0.0, {**frame, "choices": [], "usage": made.usage}))
        pieces = [(wait, b"data: " + dumps(event) + b"\n\n") for wait, event in events]
        headers = {"Content-Type": "text/event-stream", **self._limits.headers()}
        after = waits_s + self.settings.latency_s
        return Reply(pieces=(*pieces, (0.0, b"data: [DONE]\n\n")), headers=headers, after_s=after)

    def _in_batch(self, body: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
        """Answer one request of a batch: its faults are those of answers, and 500."""
        key = sha256_of(body)
        self._attempts[key] += 1
        try:
            _check(body)
        except RefusedError as error:
            return error.status, error.body
        fault, answer_fault = self._faults.of_attempt(key, self._attempts[key]), self._faults.of_answer(key)
        if fault == "server_error" and (refusal := _refusal(fault, 0)):
            self._enter(key, CHAT, refusal.status, fault)
            return refusal.status, refusal.body
        made = self._made(body, key, CHAT, answer_fault)
        self._enter(key, CHAT, OK, answer_fault, made)
        return OK, model.chat_body(made, f"cmpl-{key[:16]}", usage=answer_fault != "no_usage")

    def _enter(self, key: str, path: str, status: int, fault: str = "", made: model.Completion | None = None) -> None:
        """Write down what a request costs, before it is answered."""
        self.ledger.enter(
            Entry(
                time=time.time(),
                key=key,
                path=path,
                status=status,
                fault=fault,
                prompt_tokens=made.prompt_tokens if made else 0,
                completion_tokens=made.completion_tokens if made else 0,
            )
        )


def _refusal(fault: str, retry_s: float) -> RefusedError | None:
    """Return the error that a fault of the wire is, or nothing where it is another thing."""
    if fault not in ERRORS:
        return None
    status, code, words = ERRORS[fault]
    whens = {"limit_seconds": f"{retry_s:g}", "limit_date": formatdate(time.time() + retry_s, usegmt=True)}
    headers = {"Retry-After": whens[fault]} if fault in whens else {}
    return RefusedError(status, code, words or _limit_words(retry_s), headers)


def _limit_words(wait_s: float) -> str:
    return f"Rate limit reached for requests. Please try again in {wait_s:.3f}s."


def _read(received: Received) -> Mapping[str, Any]:
    body = json_object(received)
    _check(body)
    return body


def _check(body: Mapping[str, Any]) -> None:
    """Refuse what no endpoint would take."""
    messages, n = body.get("messages"), body.get("n", 1)
    limit = body.get("max_completion_tokens", body.get("max_tokens"))
    if not body.get("model") or not isinstance(body["model"], str):
        raise RefusedError(BAD, "", "You must provide a model parameter.")
    if "prompt" not in body and not (isinstance(messages, list) and messages and all(map(_is_message, messages))):
        raise RefusedError(BAD, "", "'messages' must be a list of at least one message with a role.")
    if limit is not None and not (isinstance(limit, int) and limit >= 1):
        raise RefusedError(BAD, "", f"'max_tokens' must be a positive integer, not {limit!r}.")
    if n is not None and not (isinstance(n, int) and n >= 1):
        raise RefusedError(BAD, "", f"'n' must be a positive integer, not {n!r}.")


def _is_message(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get("role"), str)
