"""Requests and answers: what a key is of, and what is read in a body."""

import pytest

from curation.generate.endpoint import Message, Request, read_answer
from tests.curation.generate.scripted import completion

HELLO = Request(model="m", messages=(Message("user", "Say hello."),), params={"max_tokens": 5})


def test_an_answer_is_read_whole() -> None:
    """Text, reason of the end, model and tokens, and the body as it came."""
    answer = read_answer(completion("Hello there.", model="served"))

    assert (answer.text, answer.finish_reason, answer.model) == ("Hello there.", "stop", "served")
    assert (answer.prompt_tokens, answer.completion_tokens) == (10, 2)
    assert answer.body == completion("Hello there.", model="served")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"choices": []},
        {"choices": [{}]},
        {"choices": [{"message": None}]},
        {"choices": [{"message": {"content": None}}], "usage": None},
        {"choices": "none", "usage": {"completion_tokens": "many"}},
    ],
)
def test_a_body_without_an_answer_is_an_empty_one(body: dict[str, object]) -> None:
    """Nothing a server leaves out makes reading fail."""
    answer = read_answer(body)

    assert answer.text == ""
    assert answer.completion_tokens is None


def test_a_key_is_of_what_is_asked() -> None:
    """Equal requests have equal keys; another word, parameter or sample has another."""
    same = Request(model="m", messages=(Message("user", "Say hello."),), params={"max_tokens": 5})
    others = [
        Request(model="n", messages=HELLO.messages, params=HELLO.params),
        Request(model="m", messages=(Message("user", "Say hallo."),), params=HELLO.params),
        Request(model="m", messages=HELLO.messages, params={"max_tokens": 6}),
        Request(model="m", messages=HELLO.messages, params=HELLO.params, sample=1),
    ]

    assert same.key == HELLO.key
    assert len({HELLO.key, *(other.key for other in others)}) == 5


def test_a_constraint_and_a_raw_prompt_are_part_of_the_key() -> None:
    """What was asked before there were any keeps its key: journals outlive versions."""
    constrained = Request(model="m", messages=HELLO.messages, params=HELLO.params, constraint={"tools": []})
    raw = Request(model="m", messages=(), prompt="Say hello.", params=HELLO.params)

    assert HELLO.plain().keys() == {"api", "model", "messages", "params", "sample"}
    assert HELLO.key == "f22a9ab1e0f302fd98aaadf9c2ffe300acceb5f5859aa3694e4684a5c9033ab6"
    assert raw.plain()["api"] == "completion"
    assert len({HELLO.key, raw.key, constrained.key}) == 3


def test_the_continuation_of_a_raw_prompt_is_read() -> None:
    """The older API has a text where the newer one has a message."""
    answer = read_answer({"choices": [{"text": " there.", "finish_reason": "length"}]})

    assert (answer.text, answer.finish_reason) == (" there.", "length")
