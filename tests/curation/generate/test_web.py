"""Endpoints over HTTP: what is asked again, what stops at once, and that the key is nowhere."""

import asyncio
import json
from dataclasses import replace

import pytest

from curation.generate.address import read_address
from curation.generate.endpoint import Answer, Message, Request
from curation.generate.limiter import Limited, Patience
from curation.generate.web import open_endpoint
from curation.mock.serve import serving
from curation.mock.service import MockEndpoint
from schemas.errors import EndpointError
from tests.curation.generate.scripted import Reply, takes_no, told_server

CANARY = "sk-canary-7f3a91"
PATIENCE = Patience(attempts=2, patience_s=5)
HELLO = Request(model="m", messages=(Message("user", "Say hello."),), params={"max_tokens": 5})


def ask(address: str, *, timeout_s: float = 20) -> Answer:
    """Ask one question."""
    return asyncio.run(ask_all(address, HELLO, timeout_s=timeout_s))[0]


async def ask_all(address: str, *requests: Request, timeout_s: float = 20, own: bool = False) -> list[Answer]:
    """Ask questions one after another."""
    async with open_endpoint(address, timeout_s=timeout_s, own=own) as endpoint:
        limited = Limited(endpoint, most=4, patience=PATIENCE)
        return [await limited.ask(one) for one in requests]


def test_a_server_error_is_asked_again() -> None:
    """500 once, then an answer."""
    with told_server(Reply(status=500, body="{}"), Reply(body='{"choices": [{"message": {"content": "hi"}}]}')) as told:
        answer = ask(told.address)

    assert answer.text == "hi"
    assert len(told.seen) == 2


def test_a_rate_limit_is_waited_for_as_long_as_it_says() -> None:
    """429 with Retry-After: the next request comes no earlier."""
    with told_server(Reply(status=429, body="{}", headers={"Retry-After": "1"})) as told:
        ask(told.address)

    first, second = (when for when, _ in told.seen)
    assert second - first >= 1


def test_a_server_that_hangs_is_asked_again() -> None:
    """A request that takes too long is given up and sent anew."""
    with told_server(Reply(wait_s=1.5)) as told:
        answer = ask(told.address, timeout_s=0.5)

    assert answer.text
    assert len(told.seen) >= 2


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "Incorrect API key provided"), (403, "not allowed here"), (404, "The model `m` does not exist")],
)
def test_what_waiting_cannot_mend_stops_at_once(status: int, words: str) -> None:
    """One request, and the provider's own words."""
    with (
        told_server(Reply(status=status, body=f'{{"error": {{"message": "{words}"}}}}')) as told,
        pytest.raises(EndpointError, match=words),
    ):
        ask(told.address)

    assert len(told.seen) == 1


def test_a_limit_that_is_worded_like_an_empty_quota_is_waited_for() -> None:
    """Gemini says "you exceeded your current quota" of a limit of the minute, and when to come back."""
    words = "You exceeded your current quota, please check your plan and billing details. Please retry in 0.2s."
    with told_server(Reply(status=429, body=json.dumps({"error": {"message": words}}))) as told:
        answer = ask(told.address)

    assert answer.text
    assert len(told.seen) == 2


@pytest.mark.parametrize(
    "error",
    [
        {"message": "You exceeded your current quota, please check your plan.", "code": "insufficient_quota"},
        {"message": "Insufficient Balance"},
        {"message": "Please try again in 20s.", "code": "insufficient_quota"},
    ],
)
def test_an_empty_quota_stops_at_once(error: dict[str, str]) -> None:
    """It comes as a 429, and no waiting fills it."""
    with (
        told_server(Reply(status=429, body=json.dumps({"error": error}))) as told,
        pytest.raises(EndpointError, match=error["message"]),
    ):
        ask(told.address)

    assert len(told.seen) == 1


def test_a_missing_key_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where an endpoint wants a key and none is set, the error says which variable to set."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)

    with (
        told_server(Reply(status=401, body="{}")) as told,
        pytest.raises(EndpointError, match="OPENAI_API_KEY is not set"),
    ):
        ask(told.address)


def test_nobody_there() -> None:
    """A connection that is refused ends in an error that says where."""
    with pytest.raises(EndpointError, match=r"http://127.0.0.1:9: Cannot connect to host .*, 2 times"):
        ask("http://127.0.0.1:9/v1")


@pytest.mark.parametrize(
    "body", ["<html>busy</html>", "[1]", '{"choices": [', '{"choices": []}', "[" * 9999 + "]" * 9999]
)
def test_an_answer_that_is_no_completion(body: str) -> None:
    """HTML, a list, half a body, a thousand lists in each other: asked again, then an error that shows it."""
    with (
        told_server(Reply(body=body), Reply(body=body)) as told,
        pytest.raises(EndpointError, match="expected a chat completion"),
    ):
        ask(told.address)


def test_an_address_that_is_none() -> None:
    """The option is named."""
    with pytest.raises(EndpointError, match="--base-url localhost:8000: expected an address such as"):
        ask("localhost:8000")


def test_a_query_is_sent_with_every_request() -> None:
    """Azure wants its version there; signs that mean something in an address stay quoted."""
    query = "api-version=2024-10-21&a=b%2B%26"
    with told_server() as told:
        asyncio.run(ask_all(f"{told.address}/?{query}", HELLO, HELLO))

    assert told.paths == [f"/v1/chat/completions?{query}"] * 2


def test_a_query_is_joined_to_that_of_a_path() -> None:
    """One question mark; without a query the path stays as it is."""
    address = read_address("http://me:pw@host:8000/v1/?api-version=7")

    assert address.url("/batches?limit=1") == "http://host:8000/v1/batches?limit=1&api-version=7"
    assert read_address("http://host/v1").url("/models") == "http://host/v1/models"


REFUSAL = Reply(status=400, body='{"error": {"message": "too long for the context"}}')


def test_a_request_that_is_refused_later_is_an_answer() -> None:
    """400 to whatever is asked is the endpoint's of us; once something was answered it is about one request."""
    with told_server(REFUSAL, REFUSAL) as told, pytest.raises(EndpointError, match=r"too long.*, 2 times"):
        ask(told.address)
    with told_server(Reply(), REFUSAL) as told:
        _, answer = asyncio.run(ask_all(told.address, HELLO, HELLO))

    assert answer.finish_reason == "refused"
    assert "too long for the context" in str(answer.body["error"])


def test_the_first_request_may_be_the_one_that_is_refused() -> None:
    """It is asked again, and meanwhile others are answered."""

    async def at_once(address: str) -> list[Answer]:
        async with open_endpoint(address, timeout_s=20) as endpoint:
            limited = Limited(endpoint, most=4, patience=PATIENCE)
            first = asyncio.create_task(limited.ask(HELLO))
            while not told.seen:  # noqa: ASYNC110  # it is the server that is looked at
                await asyncio.sleep(0.01)
            told.replies += [Reply(wait_s=0.1), REFUSAL]
            return list(await asyncio.gather(first, limited.ask(replace(HELLO, sample=1))))

    with told_server(REFUSAL) as told:
        refused, answered = asyncio.run(at_once(told.address))

    assert refused.finish_reason == "refused"
    assert answered.text


def unsupported(name: str) -> Reply:
    """Return the refusal of a parameter, as OpenAI words it."""
    error = {"message": f"Unsupported: {name}", "param": name, "code": "unsupported_parameter"}
    return Reply(status=400, body=json.dumps({"error": error}))


def test_a_parameter_that_a_model_does_not_take_is_left_out() -> None:
    """Reasoning models know `max_tokens` by another name and take no temperature: asked once, remembered."""
    request = Request(model="m", messages=HELLO.messages, params={"max_tokens": 5, "temperature": 0.5})

    with told_server(unsupported("max_tokens"), unsupported("temperature")) as told:
        asyncio.run(ask_all(told.address, request, request))

    assert len(told.seen) == 4
    assert [sent.keys() for sent in told.ledger] == [{"model", "messages", "max_completion_tokens"}] * 2


def test_what_one_request_learns_of_a_model_serves_those_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight at once are all sent with a parameter that the model does not take: each is asked again without it."""
    refused = takes_no(monkeypatch, "max_tokens", "temperature")
    params = {"max_tokens": 5, "temperature": 0.5}

    async def at_once(address: str) -> list[Answer]:
        async with open_endpoint(address, timeout_s=20) as endpoint:
            endpoint.answered.add("m")  # in an earlier run
            limited = Limited(endpoint, most=8, patience=PATIENCE)
            return await asyncio.gather(
                *(limited.ask(replace(HELLO, params=params, messages=(Message("user", str(one)),))) for one in range(8))
            )

    with serving(MockEndpoint(latency_s=0.1)) as running:
        answers = asyncio.run(at_once(running.address))

    assert all(answer.text for answer in answers)
    assert refused.count("max_tokens") > 1


def test_the_key_is_sent_and_never_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that repeats the key in its words does not get it into ours."""
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    body = f'{{"error": {{"message": "{"x" * 270} Incorrect API key provided: {CANARY}"}}}}'

    with told_server(Reply(status=401, body=body)) as told, pytest.raises(EndpointError) as caught:
        ask(told.address)

    assert told.seen[0][1] == f"Bearer {CANARY}"
    assert CANARY[:9] not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_password_in_the_address_is_never_said() -> None:
    """Neither the user's name and password nor what the server says of them."""
    with told_server(Reply(status=403, body='{"error": {"message": "no: s3cret"}}')) as told:
        address = told.address.replace("http://", "http://me:s3cret@")
        with pytest.raises(EndpointError) as caught:
            ask(address)

    assert "s3cret" not in str(caught.value)
    assert "me:" not in str(caught.value)


def test_our_own_server_gets_nobody_s_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key in the environment is for the endpoint that was asked for."""
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)

    with told_server() as told:
        asyncio.run(ask_all(told.address, HELLO, own=True))

    assert CANARY not in told.seen[0][1]
