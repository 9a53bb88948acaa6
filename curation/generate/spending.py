"""What a run may cost before it is sent, and what it did cost: tokens, counted from the journal.

Of a request that is to be sent only a bound is known: its JSON has no fewer bytes than its text has tokens (byte-level
tokenizers never make more tokens than bytes), its chat form adds some, and the answer has no more than `max_tokens`.
Of an answer the endpoint reports the usage; where it does not, the bound stands, and is called an estimate. A request
that may have been billed without an answer counts as its bound for good.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from schemas.codec import canonical
from schemas.errors import InputError

PER_PROMPT, PER_MESSAGE = 128, 8
"""Tokens that a chat form may add to the text: a system message of its own, and the marks of each turn."""
LIMITS = ("max_tokens", "max_completion_tokens")
"""Parameters that limit an answer."""


class Tokens(NamedTuple):
    """Tokens that went in, and that came out."""

    prompt: int = 0
    completion: int = 0

    @property
    def total(self) -> int:
        """Both together."""
        return self.prompt + self.completion

    def plus(self, other: "Tokens") -> "Tokens":
        """Return the sum."""
        return Tokens(self.prompt + other.prompt, self.completion + other.completion)

    def less(self, other: "Tokens") -> "Tokens":
        """Return the difference."""
        return Tokens(self.prompt - other.prompt, self.completion - other.completion)


NOTHING = Tokens()


def bound_of(plain: Mapping[str, Any]) -> Tokens:
    """Return the most tokens that a request (`Request.plain()`) can cost.

    Raises:
        InputError: it does not limit its answer.
    """
    params: Mapping[str, Any] = plain.get("params") or {}
    limit = next((params[name] for name in LIMITS if name in params), None)
    if limit is None:
        raise InputError(place="--budget", expected="requests that limit their answer", found="one without max_tokens")
    messages: Sequence[Any] = plain.get("messages") or ()
    prompt = len(canonical(plain)) + PER_PROMPT + PER_MESSAGE * len(messages)
    return Tokens(prompt, int(limit) * int(params.get("n") or 1))


class Usage(NamedTuple):
    """What an answer cost, by the endpoint's own report."""

    tokens: Tokens
    usd: Decimal | None = None
    """Where the endpoint names a price."""


def usage_of(body: Mapping[str, Any]) -> Usage | None:
    """Return what an answer reports that it cost; nothing where it does not. A refusal costs nothing."""
    usage = body.get("usage")
    if isinstance(usage, Mapping):
        prompt, completion = (_count(usage.get(name)) for name in ("prompt_tokens", "completion_tokens"))
        if prompt is not None and completion is not None:
            return Usage(Tokens(prompt, completion), _price(usage.get("cost")))
    return Usage(Tokens()) if "error" in body and "choices" not in body else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _price(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
        return None
    return Decimal(str(value))


@dataclass(slots=True, kw_only=True)
class Spending:
    """What has been spent, in this run and in those before it."""

    reported: Tokens = NOTHING
    """Of answers that said what they cost, in tokens."""
    reported_usd: Decimal = Decimal(0)
    """Of answers that named a price; their tokens are in `with_price`."""
    with_price: Tokens = NOTHING
    estimated: Tokens = NOTHING
    """Of answers that did not say what they cost: their bounds."""
    unanswered: Tokens = NOTHING
    """Of requests that may have been billed without an answer: their bounds."""
    answers: int = 0
    silent: int = 0
    """Answers that did not say what they cost."""
    lost: int = 0
    """Requests that may have been billed without an answer."""

    @property
    def tokens(self) -> Tokens:
        """Everything that was billed or may have been."""
        return self.reported.plus(self.estimated).plus(self.unanswered)

    def settle(self, bound: Tokens, body: Mapping[str, Any]) -> None:
        """Count an answer."""
        self.answers += 1
        usage = usage_of(body)
        if usage is None:
            self.silent += 1
            self.estimated = self.estimated.plus(bound)
            return
        self.reported = self.reported.plus(usage.tokens)
        if usage.usd is not None:
            self.reported_usd += usage.usd
            self.with_price = self.with_price.plus(usage.tokens)

    def lose(self, bound: Tokens) -> None:
        """Count a request that may have been billed without an answer."""
        self.lost += 1
        self.unanswered = self.unanswered.plus(bound)

    def find(self, bound: Tokens) -> None:
        """Count a request as lost no more: its answer is still to come."""
        self.lost -= 1
        self.unanswered = self.unanswered.less(bound)


@dataclass(slots=True)
class Tracker:
    """Works out what was spent, from the rows of a journal in order."""

    spending: Spending = field(default_factory=Spending)
    _open: dict[str, list[Tokens]] = field(default_factory=dict)
    """Key → bounds of what was sent and has neither answer nor refusal."""

    def note(self, row: Mapping[str, Any]) -> None:
        """Take a row of the journal into account."""
        key = str(row["key"])
        match row["t"]:
            case "request":
                plain = {name: value for name, value in row.items() if name not in ("t", "key")}
                self._open.setdefault(key, []).append(bound_or_nothing(plain))
            case "lost":
                sent = self._open.get(key, [Tokens()])
                sent.append(sent[-1])
            case "unbilled":
                self._close(key)
            case "answer":
                self.spending.settle(self._close(key), row["body"])

    def done(self) -> Spending:
        """Return what was spent: whatever is still open may have been billed."""
        for bounds in self._open.values():
            for bound in bounds:
                self.spending.lose(bound)
        self._open.clear()
        return self.spending

    def _close(self, key: str) -> Tokens:
        bounds = self._open.get(key) or [Tokens()]
        bound = bounds.pop()
        if not bounds:
            self._open.pop(key, None)
        return bound


def bound_or_nothing(plain: Mapping[str, Any]) -> Tokens:
    """Return the bound of a request that stands in a journal; one without a limit was not sent under a budget."""
    try:
        return bound_of(plain)
    except InputError:
        return Tokens(len(canonical(plain)), 0)
