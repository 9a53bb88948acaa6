"""`dolly-data endpoint check`, against a server that nobody here wrote, and against the mock endpoint.

What it finds of `transformers serve` is in tests/training/test_serve.py, which runs one.
"""

import asyncio
import json
from threading import Event, Semaphore

import pytest
from click.testing import CliRunner

from curation.cli import main
from curation.generate.check import Report, check_endpoint
from curation.generate.embedded import _llama_server, has_llama_cpp
from curation.generate.ladder import choose_form
from curation.generate.limiter import Limited
from curation.generate.web import open_endpoint
from curation.mock.serve import serving
from curation.mock.service import MockEndpoint
from schemas.errors import EndpointError
from schemas.models import resolve
from tests.curation.generate.scripted import takes_no, told_server


def able(report: Report) -> dict[str, bool | None]:
    """Return what a report says of each ability."""
    return {name: ability.able for name, ability in report.abilities.items()}


def checked(address: str, model: str = "", *, at_once: int = 2) -> Report:
    """Check with time to spare: a test machine may be busy."""
    return asyncio.run(check_endpoint(address, model, at_once=at_once, seconds=120))


async def chosen_form(address: str, model: str) -> str:
    """Return the form that a run would ask for lists in."""
    async with open_endpoint(address, timeout_s=120) as endpoint:
        return await choose_form(Limited(endpoint, most=1), model)


def test_the_mock_endpoint_keeps_what_it_is_told() -> None:
    """Everything but log-probabilities of a prompt; the model is the one it lists, and its limits are told."""
    with serving(MockEndpoint(requests_per_s=500)) as running:
        report = checked(running.address)
    abilities = able(report)

    assert report.model == "mock"
    assert report.models == 1
    assert abilities.pop("prompt_logprobs") is False
    assert all(abilities.values())
    assert report.limits["x-ratelimit-limit-requests"] == "500"
    assert report.first_token_s is not None
    assert report.tokens_per_s_at_once is not None


def test_llama_server_keeps_a_schema() -> None:
    """And JSON mode, n, usage and log-probabilities; it has no batches."""
    if not has_llama_cpp():
        pytest.skip("llama.cpp cannot be loaded here")
    with _llama_server(resolve("smollm2-135m"), 4) as address:
        report = checked(address)
        form = asyncio.run(chosen_form(address, report.model))
    abilities = able(report)

    assert report.model == "smollm2-135m"
    assert form == "schema"
    assert all(abilities[name] for name in ("usage", "schema", "json", "n", "logprobs", "completions"))
    assert abilities["batch"] is False
    assert report.tokens_per_s


def test_an_endpoint_that_refuses_is_named_in_its_words() -> None:
    """Exit code 5: nothing else is tried."""
    with serving(MockEndpoint(refuse="unauthorized")) as running, pytest.raises(EndpointError, match="Incorrect API"):
        checked(running.address)


def test_every_parameter_that_the_model_does_not_take_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Found out one after the other, before anything else is asked."""
    refused = takes_no(monkeypatch, "max_tokens", "temperature")
    with serving(MockEndpoint()) as running:
        report = checked(running.address)

    assert refused == ["max_tokens", "temperature"]
    assert report.abilities["schema"].able
    assert report.tokens_per_s_at_once is not None


def test_one_that_hangs_is_not_waited_for() -> None:
    """An ability without an answer in time is unknown, not absent."""
    first, over = Semaphore(1), Event()

    def answer(_: object) -> tuple[str, str]:
        if not first.acquire(blocking=False):
            over.wait()
        return "yes", "stop"

    with told_server(answer=answer) as told:
        report = asyncio.run(check_endpoint(told.address, "m", seconds=2))
        over.set()

    assert report.abilities["schema"].able is None
    assert report.abilities["schema"].found == "no answer in time"


def test_the_command_prints_a_table_or_json() -> None:
    """For people and for programs."""
    with serving(MockEndpoint()) as running:
        table = CliRunner().invoke(main, ["endpoint", "check", running.address])
        line = CliRunner().invoke(main, ["endpoint", "check", running.address, "--json"])

    assert table.exit_code == line.exit_code == 0
    assert "keeps to a JSON schema                 yes" in table.stdout
    assert "log-probabilities of a prompt          no" in table.stdout
    assert json.loads(line.stdout)["abilities"]["schema"]["able"] is True
