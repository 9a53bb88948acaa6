"""What was spent: bounds that are bounds, usage that is believed only where it is one, and a journal that adds up."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.generate.endpoint import Message, Request
from curation.generate.prices import FREE, PRICES, Price, find_price, given_price
from curation.generate.spending import Spending, Tokens, Tracker, bound_of, usage_of
from curation.mock.model import complete
from schemas.errors import InputError
from tests.support import texts

HUNDRED = {"usage": {"prompt_tokens": 70, "completion_tokens": 30}}


def request(text: str, **params: float) -> Request:
    """Return a request with this question."""
    return Request(model="m", messages=(Message("user", text),), params={"max_tokens": 50, **params})


@given(st.lists(texts, min_size=1, max_size=5), st.integers(1, 4))
def test_a_bound_is_no_less_than_the_bytes_and_than_what_a_model_says(contents: list[str], n: int) -> None:
    """For any text: a byte-level tokenizer at its worst, and the mock model's own count."""
    messages = tuple(Message("user", text) for text in contents)
    asked = Request(model="m", messages=messages, params={"max_tokens": 50, "n": n})

    bound = bound_of(asked.plain())
    body = {"model": "m", "messages": [message._asdict() for message in messages], "max_tokens": 50, "n": n}
    said = complete(body, "key", seed=1)

    assert bound.prompt >= sum(len(text.encode()) for text in contents)
    assert bound.prompt >= said.prompt_tokens
    assert bound.completion == 50 * n >= said.completion_tokens


def test_a_request_without_a_limit_has_no_bound() -> None:
    """It is refused rather than guessed."""
    with pytest.raises(InputError, match="without max_tokens"):
        bound_of(Request(model="m", messages=(Message("user", "x"),)).plain())


@pytest.mark.parametrize(
    "usage",
    [None, {}, "many", {"prompt_tokens": 7}, {"prompt_tokens": -1, "completion_tokens": 2},
     {"prompt_tokens": True, "completion_tokens": 2}, {"prompt_tokens": "7", "completion_tokens": 2}],
)  # fmt: skip
def test_what_is_no_usage_is_none(usage: object) -> None:
    """Then the bound stands, and is called an estimate."""
    spending = Spending()
    spending.settle(Tokens(9, 9), {"choices": [], "usage": usage})

    assert usage_of({"choices": [], "usage": usage}) is None
    assert (spending.silent, spending.estimated, spending.tokens.total) == (1, Tokens(9, 9), 18)


def test_a_refusal_costs_nothing() -> None:
    """An error that was taken as the answer."""
    spending = Spending()
    spending.settle(Tokens(9, 9), {"error": "too long"})

    assert spending.tokens.total == 0


def test_what_the_endpoint_says_it_charged_comes_before_the_price() -> None:
    """Tokens that it named a price for are not priced again."""
    spending = Spending()
    spending.settle(Tokens(99, 99), {"usage": {**HUNDRED["usage"], "cost": 0.25}})
    spending.settle(Tokens(99, 99), HUNDRED)

    assert given_price(1_000_000, 0).spent(spending) == Decimal("0.25") + 70


def row(kind: str, text: str = "a", **more: object) -> dict[str, object]:
    """Return a row of a journal."""
    asked = request(text)
    return {"t": kind, "key": asked.key, **(asked.plain() if kind == "request" else {}), **more}


@pytest.mark.parametrize(
    ("kinds", "answers", "lost"),
    [
        (["request", "answer"], 1, 0),
        (["request"], 0, 1),
        (["request", "request", "answer"], 1, 1),
        (["request", "lost", "answer"], 1, 1),
        (["request", "lost", "lost", "unbilled"], 0, 2),
        (["request", "unbilled"], 0, 0),
        (["request", "unbilled", "request", "answer"], 1, 0),
    ],
)
def test_a_journal_adds_up(kinds: list[str], answers: int, lost: int) -> None:
    """Each sending is answered, given up, or may have been billed for nothing."""
    tracker = Tracker()
    for kind in kinds:
        tracker.note(row(kind, body=HUNDRED) if kind == "answer" else row(kind))
    spending = tracker.done()
    bound = bound_of(request("a").plain())

    assert (spending.answers, spending.lost) == (answers, lost)
    assert spending.tokens.total == answers * 100 + lost * bound.total


def test_a_price_is_of_a_model_at_a_provider() -> None:
    """A snapshot has its model's price; elsewhere, or of another model, it is unknown; at home it is nothing."""
    here = find_price("gpt-4o-mini", "https://api.openai.com/v1")

    assert here is not None
    assert here.of(Tokens(1_000_000, 1_000_000)) == Decimal("0.75")
    assert find_price("gpt-4o-mini-2024-07-18", "https://api.openai.com/v1") == here
    assert find_price("gpt-4o-mini", "https://example.org/v1") is None
    assert find_price("another", "https://api.openai.com/v1") is None
    assert find_price("smollm2-135m", "") == FREE


def test_every_price_says_where_and_when_it_was_read() -> None:
    """And the file's version and hash are known."""
    import yaml  # noqa: PLC0415  # only here

    file = yaml.safe_load(Path(PRICES).read_text())
    rows = [row for provider in file["providers"].values() for row in provider["models"].values()]
    price = find_price("gpt-4.1", "https://api.openai.com/v1")

    assert file["version"] >= 1
    assert rows
    assert all(row["source"].startswith("https://") and row["date"] and row["in"] <= row["out"] for row in rows)
    assert isinstance(price, Price)
    assert len(price.file_sha256) == 64
