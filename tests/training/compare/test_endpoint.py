"""An endpoint: asked over the wire, never twice, and its key stands nowhere."""

import json
from pathlib import Path

import pytest

from schemas.errors import EndpointError
from tests.training.served import mock_endpoint, scripted
from training.answers.questions import find_prompts
from training.answers.respond import Prompt, Sampling
from training.compare.compare import compare
from training.compare.endpoint import KEY, Endpoint
from training.compare.journal import Journal

GREEDY = Sampling(greedy=True, max_new_tokens=12)


def test_a_model_behind_an_endpoint_stands_beside_a_local_one(tmp_path: Path, tiny: Path) -> None:
    """The announcement's table: here, and there; and a second run asks nothing."""
    journal = tmp_path / "page.journal.jsonl"
    with mock_endpoint("--ledger", str(tmp_path / "ledger.jsonl")) as url:
        there = Endpoint(url=url, model="mock", journal=Journal(journal))
        compared = compare([str(tiny)], find_prompts("announcement"), sampling=GREEDY, endpoints=[there])
        billed = (tmp_path / "ledger.jsonl").read_text().splitlines()
        again = Endpoint(url=url, model="mock", journal=Journal(journal))
        second = compare([str(tiny)], find_prompts("announcement"), sampling=GREEDY, endpoints=[again])
        assert (tmp_path / "ledger.jsonl").read_text().splitlines() == billed

    here, mock = compared.results
    assert (here.kind, mock.kind) == ("untuned", "endpoint")
    assert all(one.text for one in mock.answers)
    assert "nats_per_byte" not in mock.numbers
    assert second.results == compared.results
    assert len(billed) == 5


def test_the_journal_answers_when_nobody_is_there(tmp_path: Path) -> None:
    """What was paid for is not asked for again."""
    path = tmp_path / "journal.jsonl"
    with scripted(lambda _: (200, "Blue.")) as (url, asked):
        first = Endpoint(url=url, model="m", journal=Journal(path)).answers([Prompt("Sky?")], GREEDY)

    again = Endpoint(url=url, model="m", journal=Journal(path), retries=0).answers([Prompt("Sky?")], GREEDY)

    assert first == again
    assert (first[0].text, first[0].stopped, first[0].tokens) == ("Blue.", True, 2)
    assert len(asked) == 1
    assert asked[0]["temperature"] == 0.0


def test_another_request_is_another_answer(tmp_path: Path) -> None:
    """Another limit, another model: the journal has them apart."""
    with scripted(lambda body: (200, str(body["max_tokens"]))) as (url, asked):
        there = Endpoint(url=url, model="m", journal=Journal(tmp_path / "j.jsonl"))
        said = [
            there.answers([Prompt("Sky?", "of Mars")], Sampling(max_new_tokens=limit))[0].text for limit in (5, 6, 5)
        ]

    assert said == ["5", "6", "5"]
    assert len(asked) == 2
    assert asked[0]["messages"] == [{"role": "user", "content": "Sky?\n\nof Mars"}]


def test_a_busy_endpoint_is_asked_again(tmp_path: Path) -> None:
    """Faults that pass are waited for."""
    with mock_endpoint("--fault", "server_error=0.3", "--retry-after-s", "0.01") as url:
        there = Endpoint(url=url, model="mock", journal=Journal(tmp_path / "j.jsonl"), retries=8)
        said = there.answers([Prompt(f"Say {number}.") for number in range(6)], GREEDY)

    assert len(said) == 6


def test_the_key_is_sent_and_stands_in_no_file_and_no_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where the endpoint says it back."""
    monkeypatch.setenv(KEY, "sk-secret-123")
    path = tmp_path / "j.jsonl"

    def reply(body: dict[str, object]) -> tuple[int, str]:
        return (200, "Blue.") if body["model"] == "good" else (401, "wrong key sk-secret-123")

    with scripted(reply) as (url, asked):
        Endpoint(url=url, model="good", journal=Journal(path)).answers([Prompt("Sky?")], GREEDY)
        with pytest.raises(EndpointError, match="wrong key") as failed:
            Endpoint(url=url, model="bad", journal=Journal(path)).answers([Prompt("Sky?")], GREEDY)

    assert asked[0]["authorization"] == "Bearer sk-secret-123"
    assert "sk-secret" not in path.read_text() + str(failed.value)


def test_an_endpoint_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """With its own exit code."""
    there = Endpoint(url="http://127.0.0.1:9/v1", model="m", journal=Journal(tmp_path / "j"), retries=0)

    with pytest.raises(EndpointError, match=r"127\.0\.0\.1:9"):
        there.answers([Prompt("Sky?")], GREEDY)


def test_a_model_that_refuses_settings_is_asked_without_them(tmp_path: Path) -> None:
    """Those that it names; the limit goes by its new name. Any other refusal is an error."""

    def reply(body: dict[str, object]) -> tuple[int, str]:
        if "max_tokens" in body:
            return 400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
        if "temperature" in body:
            return 400, "Unsupported value: 'temperature' does not support 0.0 with this model."
        return (200, "Blue.") if body["model"] == "good" else (400, "no such thing")

    with scripted(reply) as (url, asked):
        journal = Journal(tmp_path / "j.jsonl")
        (said,) = Endpoint(url=url, model="good", journal=journal).answers([Prompt("Sky?")], GREEDY)
        with pytest.raises(EndpointError, match="no such thing"):
            Endpoint(url=url, model="bad", journal=journal).answers([Prompt("Sky?")], GREEDY)

    assert said.text == "Blue."
    assert asked[2]["max_completion_tokens"] == 12
    assert not {"max_tokens", "temperature"} & set(asked[2])


def test_a_torn_line_is_passed_over_and_stays_alone(tmp_path: Path) -> None:
    """A crash can leave half a line; the next one begins anew."""
    path = tmp_path / "j.jsonl"
    Journal(path).keep({"a": 1}, "one")
    with path.open("ab") as file:
        file.write(b'{"key": "torn')

    Journal(path).keep({"a": 2}, "two")

    assert [Journal(path).find({"a": number}) for number in (1, 2, 3)] == ["one", "two", None]
    assert json.loads(path.read_text().splitlines()[-1])["answer"] == "two"
