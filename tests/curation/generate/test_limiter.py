"""The limiter: what is asked again, how often, how many at a time, and when it is given up."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from curation.generate.endpoint import Answer, Message, Request, read_answer
from curation.generate.headers import Limits
from curation.generate.limiter import ExhaustedError, Limited, Patience
from curation.generate.source import Generate
from curation.generate.trouble import BusyError, FaultError
from curation.generate.web import open_endpoint
from curation.generate.window import Window
from curation.mock.serve import serving
from curation.mock.service import MockEndpoint
from curation.pipeline import run_source
from schemas.errors import EndpointError
from tests.curation.generate.scripted import completion, seed_file


def request(text: str = "Say hello.") -> Request:
    """Return a small request."""
    return Request(model="m", messages=(Message("user", text),), params={"max_tokens": 40})


@dataclass
class Told:
    """An endpoint that fails as it is told, then answers."""

    fails: Callable[[int], Exception | None] = lambda number: None
    """The number of the attempt, from 0 → what is raised."""
    takes_s: float = 0.0
    at: list[float] = field(default_factory=list)
    here: int = 0
    most: int = 0

    async def ask(self, request: Request) -> Answer:
        """Answer or fail."""
        error = self.fails(len(self.at))
        self.at.append(time.monotonic())
        self.here += 1
        self.most = max(self.most, self.here)
        await asyncio.sleep(self.takes_s)
        self.here -= 1
        if error:
            raise error
        return read_answer(completion("hi"))


def busy(**said: float) -> BusyError:
    """Return a 429 that says this."""
    return BusyError("429: slow down", limits=Limits(**said))  # type: ignore[arg-type]  # by name


async def many(limited: Limited, count: int) -> list[Answer]:
    """Ask many things at once."""
    return await asyncio.gather(*(limited.ask(request(str(number))) for number in range(count)))


def test_later_never_costs_an_attempt() -> None:
    """Twenty times "later", then an answer, though only two attempts are allowed."""
    endpoint = Told(lambda number: busy(wait_s=0.001) if number < 20 else None)
    answer = asyncio.run(Limited(endpoint, most=4, patience=Patience(attempts=2)).ask(request()))

    assert answer.text == "hi"
    assert len(endpoint.at) == 21


def test_what_it_says_is_waited_for() -> None:
    """And by everybody: nothing is sent before, whoever was told."""
    endpoint = Told(lambda number: busy(wait_s=0.2) if number == 0 else None)
    asyncio.run(many(Limited(endpoint, most=1), 3))

    assert len(endpoint.at) == 4
    assert endpoint.at[1] - endpoint.at[0] >= 0.2


def test_of_a_burst_only_the_first_counts() -> None:
    """Sixteen were in flight when it became too much: the window shrinks by a quarter, not sixteen times."""
    allowed = []

    def fails(number: int) -> Exception | None:
        allowed.append(limited.allowed)
        return busy(wait_s=0.01) if number < 16 else None

    limited = Limited(Told(fails, takes_s=0.01), most=16)
    asyncio.run(many(limited, 16))

    assert allowed[:16] == [16] * 16
    assert allowed[16] == min(allowed) == 12


def test_the_window_grows_again() -> None:
    """By one for each full window of answers, never over what was asked for."""
    window = Window(8)
    burst = asyncio.run(window.enter())
    window.too_much(burst, Limits(wait_s=0))
    shrunk = window.allowed
    for _ in range(100):
        window.answered(Limits())

    assert (shrunk, window.allowed) == (6, 8)


def test_no_more_are_in_flight_than_are_allowed() -> None:
    """Nor than the endpoint's words say it takes."""
    told = Told(lambda number: busy(wait_s=0.01, at_once=4) if number == 0 else None, takes_s=0.002)
    asyncio.run(many(Limited(told, most=1), 10))
    few = Told(takes_s=0.002)
    asyncio.run(many(Limited(few, most=3), 20))

    assert told.most == 1
    assert few.most == 3


def test_a_rate_that_it_names_is_kept() -> None:
    """`Limit 50 / s`: the next ones come a fiftieth of a second apart."""
    endpoint = Told(lambda number: busy(wait_s=0, per_s=50.0) if number == 0 else None)
    asyncio.run(many(Limited(endpoint, most=8), 11))

    assert endpoint.at[-1] - endpoint.at[8] >= 2 / 60


def test_what_is_left_is_not_exceeded() -> None:
    """Two more are taken until the reset: the third one waits for it."""
    window = Window(8)
    window.answered(Limits(left=2, reset_s=0.1))

    async def run() -> float:
        began = time.monotonic()
        for _ in range(3):
            await window.enter()
        return time.monotonic() - began

    assert asyncio.run(run()) >= 0.09


def test_a_fault_costs_an_attempt() -> None:
    """After so many the endpoint is given up, in its own words, if nothing was ever answered."""
    endpoint = Told(lambda number: FaultError("500: boom", status=500))
    with pytest.raises(ExhaustedError, match="500: boom, 2 times") as caught:
        asyncio.run(Limited(endpoint, most=4, patience=Patience(attempts=2)).ask(request()))

    assert len(endpoint.at) == 2
    assert caught.value.exit_code == 5
    assert caught.value.status == 500


def test_a_fault_of_one_request_is_its_answer() -> None:
    """Where others are answered meanwhile the run goes on, and the request is rejected with its own reason."""

    class Poisoned(Told):
        """An endpoint that breaks on one question."""

        async def ask(self, request: Request) -> Answer:
            """Break or answer."""
            if "poison" in request.messages[0].content:
                raise FaultError("200: half of a JSON text")
            return await super().ask(request)

    async def run() -> Answer:
        limited = Limited(Poisoned(), most=4, patience=Patience(attempts=2))
        poisoned = asyncio.create_task(limited.ask(request("poison")))
        await asyncio.sleep(0.01)
        await limited.ask(request("fine"))
        return await poisoned

    answer = asyncio.run(run())

    assert answer.finish_reason == "broken"
    assert "half of a JSON text" in str(answer.body["error"])


def test_patience_ends() -> None:
    """An endpoint that only says "later", or wants more time than anyone has, ends the run with its words."""
    endless = Told(lambda number: busy(wait_s=0.02))
    hour = Told(lambda number: busy(wait_s=3600))
    for endpoint in (endless, hour):
        with pytest.raises(EndpointError, match=r"429: slow down; nothing was answered .*--patience-s 0.1"):
            asyncio.run(Limited(endpoint, most=4, patience=Patience(patience_s=0.1)).ask(request()))

    assert len(hour.at) == 1


def test_closing_lets_go_who_waits() -> None:
    """Who waits out a pause is let go at once; who has sent something gets its answer."""
    endpoint = Told(lambda number: busy(wait_s=60) if number == 1 else None, takes_s=0.02)

    async def run() -> list[object]:
        limited = Limited(endpoint, most=2)
        first = asyncio.create_task(limited.ask(request("1")))
        await asyncio.sleep(0.005)
        second = asyncio.create_task(limited.ask(request("2")))
        await asyncio.sleep(0.04)
        third = asyncio.create_task(limited.ask(request("3")))
        await asyncio.sleep(0.001)
        limited.close()
        return [*await asyncio.gather(first, second, third, return_exceptions=True)]

    answered, *let_go = asyncio.run(run())

    assert isinstance(answered, Answer)
    assert all(isinstance(one, asyncio.CancelledError) for one in let_go)


def ask_mock(settings: MockEndpoint, count: int, *, timeout_s: float = 20, **patience: float) -> list[Answer]:
    """Ask the mock endpoint many things at once."""

    async def run(address: str) -> list[Answer]:
        async with open_endpoint(address, timeout_s=timeout_s) as endpoint:
            given = Patience(**patience)  # type: ignore[arg-type]  # by name
            return await many(Limited(endpoint, most=8, patience=given), count)

    with serving(settings) as running:
        return asyncio.run(run(running.address))


def test_every_fault_of_the_wire_is_survived() -> None:
    """A fifth of all attempts fail, in every way: each request gets its answer."""
    faults = ("limit_seconds", "limit_date", "limit_words", "limit_silent", "server_error", "unavailable")
    rates = dict.fromkeys((*faults, "disconnect_before", "disconnect_amid", "broken_json", "hang"), 0.02)
    answers = ask_mock(MockEndpoint(faults=rates, retry_after_s=0.05), 60, timeout_s=1)

    assert all(answer.text for answer in answers)


def test_limits_of_an_account_are_kept_without_a_loss() -> None:
    """Thirty requests a second: all of ninety are answered, and few had to be told to wait."""
    settings = MockEndpoint(requests_per_s=30)

    async def run(address: str) -> list[Answer]:
        async with open_endpoint(address, timeout_s=20) as endpoint:
            return await many(Limited(endpoint, most=32), 90)

    with serving(settings) as running:
        answers = asyncio.run(run(running.address))
        attempts = running.service.ledger.requests

    assert len(answers) == 90
    assert all(answer.text for answer in answers)
    assert attempts < 90 + 30


@pytest.mark.parametrize(
    ("refuse", "words"),
    [
        ("unauthorized", "Incorrect API key"),
        ("forbidden", "not allowed"),
        ("not_found", "does not exist"),
        ("quota", "exceeded your current quota"),
    ],
)
def test_what_cannot_be_mended_stops_in_its_words(refuse: str, words: str) -> None:
    """At the first answer: an empty quota comes as a 429 and is none."""
    with pytest.raises(EndpointError, match=words):
        ask_mock(MockEndpoint(refuse=refuse), 1)


def test_faults_do_not_change_what_a_run_makes(tmp_path: Path) -> None:
    """Every tenth attempt fails, in every way of the wire: byte for byte the records of an untroubled run."""
    names = ("limit_seconds", "limit_words", "server_error", "unavailable", "disconnect_before", "disconnect_amid")
    rates = dict.fromkeys((*names, "broken_json", "empty_choices"), 0.0125)
    made = []
    for name, faults, concurrency in (("1", {}, 2), ("2", rates, 16)):
        with serving(MockEndpoint(faults=faults, retry_after_s=0.02)) as running:
            settings = Generate(
                n=20, model="mock", base_url=running.address, seeds=str(seed_file(tmp_path)), concurrency=concurrency
            )
            run_source(settings, tmp_path / name)
        made.append((tmp_path / name / "records.jsonl").read_bytes())

    assert made[0] == made[1]
