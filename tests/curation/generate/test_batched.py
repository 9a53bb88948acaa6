"""Batch mode against the mock endpoint's Batch API: whole runs, stopped ones, expired jobs, and what cannot be done."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from curation.generate import batched
from curation.generate.batch_api import BatchApi
from curation.generate.batched import Batched
from curation.generate.budget import Budget, Purse
from curation.generate.endpoint import Answer, Message, Request
from curation.generate.jobs import JOBS, Jobs
from curation.generate.journal import Remembered, open_journal
from curation.generate.limiter import Patience
from curation.generate.opening import open_routes
from curation.generate.source import Generate
from curation.generate.spending import Spending, bound_of
from curation.generate.web import open_endpoint
from curation.mock.batches import Batches
from curation.mock.http import Reply
from curation.mock.serve import Running, serving
from curation.mock.service import MockEndpoint
from curation.pipeline import run_source
from schemas.errors import EndpointError, InputError
from tests.curation.generate.scripted import seed_file, takes_no


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for jobs as tests do."""
    monkeypatch.setattr(batched, "LINGER_S", 0.05)
    monkeypatch.setattr(batched, "POLL_S", 0.02)


def requests(count: int, model: str = "mock") -> list[Request]:
    """Return different requests."""
    return [
        Request(model=model, messages=(Message("user", f"Say {number}."),), params={"max_tokens": 20})
        for number in range(count)
    ]


def answers(running: Running, folder: Path, asked: list[Request], patience: Patience | None = None) -> list[Answer]:
    """Ask in batches."""

    async def main() -> list[Answer]:
        async with open_endpoint(running.address, timeout_s=20) as endpoint:
            batches = Batched(BatchApi(endpoint), Jobs(folder), patience)
            return await asyncio.gather(*(batches.ask(one) for one in asked))

    return asyncio.run(main())


def jobs_of(running: Running) -> list[str]:
    """Return the state of each job that the provider knows."""
    return [batch.status for batch in running.service._batches.batches.values()]


def test_what_is_asked_at_once_is_one_job(tmp_path: Path) -> None:
    """A job for each model; the answers are those of the endpoint asked directly."""
    asked = [*requests(20), *requests(5, "other")]
    with serving(MockEndpoint()) as running:
        made = answers(running, tmp_path, asked)
        jobs = jobs_of(running)

        async def directly() -> list[Answer]:
            async with open_endpoint(running.address, timeout_s=20) as endpoint:
                return [await endpoint.ask(one) for one in asked]

        direct = asyncio.run(directly())

    assert jobs == ["completed", "completed"]
    assert [one.text for one in made] == [one.text for one in direct]
    assert Jobs(tmp_path).open == []


def test_a_job_that_expires_yields_what_it_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the rest is asked again, in another job; no request is billed twice."""
    create = Batches.create

    def second_in_time(self: Batches, asked: Mapping[str, Any], now: float) -> Reply:
        self.done = 1.0 if self.batches else 0.6
        return create(self, asked, now)

    monkeypatch.setattr(Batches, "create", second_in_time)
    with serving(MockEndpoint()) as running:
        made = answers(running, tmp_path, requests(20))
        jobs, billed = jobs_of(running), running.service.ledger.requests
        totals = [batch.counts["total"] for batch in running.service._batches.batches.values()]

    assert all(one.text for one in made)
    assert jobs == ["expired", "completed"]
    assert totals == [20, 8]
    assert billed == 20


async def stopped(address: str, folder: Path, asked: list[Request]) -> None:
    """Ask in a batch, and stop as soon as the job's id is known."""
    async with open_endpoint(address, timeout_s=20) as endpoint:
        batches = Batched(BatchApi(endpoint), Jobs(folder))
        tasks = [asyncio.create_task(batches.ask(one)) for one in asked]
        while not any(job.id for job in Jobs(folder).open):  # noqa: ASYNC110  # it is the file that is looked at
            await asyncio.sleep(0.01)
        batches.close()
        await asyncio.gather(*tasks, return_exceptions=True)


def test_a_stopped_run_finds_its_job_again(tmp_path: Path) -> None:
    """The job's id was written down: the next run waits for it, and submits nothing."""
    with serving(MockEndpoint(batch_s=0.6)) as running:
        asyncio.run(stopped(running.address, tmp_path, requests(10)))
        made = answers(running, tmp_path, requests(10))
        jobs, billed = jobs_of(running), running.service.ledger.requests

    assert all(one.text for one in made)
    assert (len(jobs), billed) == (1, 10)


def test_a_run_that_was_killed_before_it_knew_its_job_finds_it(tmp_path: Path) -> None:
    """The provider knows it by the hash of its file."""
    with serving(MockEndpoint()) as running:
        answers(running, tmp_path, requests(10))
        lines = (tmp_path / JOBS).read_bytes().splitlines(keepends=True)
        (tmp_path / JOBS).write_bytes(b"".join(lines[:2]) + lines[2][:10])
        made = answers(running, tmp_path, requests(10))
        jobs = jobs_of(running)

    assert b'"id":"batch_' in lines[2]
    assert all(one.text for one in made)
    assert len(jobs) == 1


@pytest.mark.parametrize("end", [b"", b"\n"], ids=["torn", "ended by an earlier version"])
def test_a_torn_line_spoils_no_other(tmp_path: Path, end: bytes) -> None:
    """The jobs around it are known, in this run and in every later one."""
    jobs = Jobs(tmp_path)
    first = jobs.plan("a", ["1"])
    with (tmp_path / JOBS).open("ab") as file:
        file.write(b'{"sha256":"b","num' + end)
    later = Jobs(tmp_path)
    second = later.plan("b", ["2"])

    assert Jobs(tmp_path).open == later.open == [first, second]


def test_a_job_that_never_reached_the_provider_is_submitted(tmp_path: Path) -> None:
    """It was planned, and nothing more is known of it: nobody has it."""
    with serving(MockEndpoint()) as elsewhere:
        answers(elsewhere, tmp_path, requests(10))
    lines = (tmp_path / JOBS).read_bytes().splitlines(keepends=True)
    (tmp_path / JOBS).write_bytes(lines[0])
    with serving(MockEndpoint()) as running:
        made = answers(running, tmp_path, requests(10))
        jobs = jobs_of(running)

    assert all(one.text for one in made)
    assert jobs == ["completed"]


def test_a_request_that_always_fails_is_rejected(tmp_path: Path) -> None:
    """Half of all attempts meet an error; what does so twice is rejected, the others are answered."""
    with serving(MockEndpoint(faults={"server_error": 0.5})) as running:
        made = answers(running, tmp_path, requests(20), Patience(attempts=2))
    reasons = {one.finish_reason for one in made}

    assert "broken" in reasons
    assert sum(bool(one.text) for one in made) > 5


def test_jobs_that_answer_nothing_end_the_run(tmp_path: Path) -> None:
    """After so many in a row."""
    with (
        serving(MockEndpoint(faults={"server_error": 1.0})) as running,
        pytest.raises(EndpointError, match="2 batches in a row answered nothing"),
    ):
        answers(running, tmp_path, requests(3), Patience(attempts=2))


def test_an_endpoint_without_batches_is_named(tmp_path: Path) -> None:
    """In its own words, at once."""
    with (
        serving(MockEndpoint(refuse="not_found")) as running,
        pytest.raises(EndpointError, match="404"),
    ):
        answers(running, tmp_path, requests(3))


async def run_within(budget: Budget, address: str, folder: Path, *, stop: bool, mode: str = "batch") -> Spending:
    """Ask ten questions as a run does, or stop while their job is under way; returns what was spent by the journal."""
    with open_journal(folder) as journal:
        purse = Purse(budget=budget, spending=journal.spending)
        async with open_routes(Generate(mode=mode, model="mock", base_url=address), journal, purse) as routes:
            remembered = Remembered(routes, journal)
            tasks = [asyncio.create_task(remembered.ask(one)) for one in requests(10)]
            if stop:
                while not any(job.id for job in Jobs(folder).open):  # noqa: ASYNC110  # it is the file that is looked at
                    await asyncio.sleep(0.01)
                await asyncio.sleep(0.1)
                routes.close()
            made = await asyncio.gather(*tasks, return_exceptions=True)
            assert stop or all(isinstance(one, Answer) and one.text for one in made), made
    with open_journal(folder) as journal:
        return journal.spending


def test_a_job_is_paid_for_once_however_often_its_run_is_stopped(tmp_path: Path) -> None:
    """The budget is just enough for it: until it has answered it counts as its bound, then as what it cost."""
    bound = sum(bound_of(one.plain()).total for one in requests(10))
    with serving(MockEndpoint(batch_s=1.5)) as running:
        stops = [asyncio.run(run_within(Budget(tokens=bound), running.address, tmp_path, stop=True)) for _ in range(3)]
        done = asyncio.run(run_within(Budget(tokens=bound), running.address, tmp_path, stop=False))
        billed = running.service.ledger.tokens

    assert [one.tokens.total for one in stops] == [bound] * 3
    assert (done.tokens.total, done.lost) == (billed, 0)
    assert (tmp_path / "answers.jsonl").read_bytes().count(b'"t":"request"') == 10


def test_answers_that_were_not_written_down_are_fetched_again(tmp_path: Path) -> None:
    """A kill after the end of a job was written down, and before all of its answers were, pays for nothing twice."""
    bound = sum(bound_of(one.plain()).total for one in requests(10))
    with serving(MockEndpoint()) as running:
        whole = asyncio.run(run_within(Budget(tokens=bound), running.address, tmp_path, stop=False))
        answers = tmp_path / "answers.jsonl"
        lines = answers.read_bytes().splitlines(keepends=True)
        answers.write_bytes(b"".join(lines[:-4]))
        done = asyncio.run(run_within(Budget(tokens=bound), running.address, tmp_path, stop=False))
        jobs, billed = jobs_of(running), running.service.ledger.requests

    assert [b'"t":"answer"' in line for line in lines[-5:]] == [True] * 5
    assert (len(jobs), billed) == (1, 10)
    assert (done.tokens, done.lost) == (whole.tokens, 0)
    assert len(answers.read_bytes().splitlines()) == len(lines)


def test_a_job_that_is_left_alone_counts_besides_what_is_asked_online(tmp_path: Path) -> None:
    """It may be billed, whether anybody fetches its answers or not."""
    bound = sum(bound_of(one.plain()).total for one in requests(10))
    with serving(MockEndpoint(batch_s=9)) as running:
        asyncio.run(run_within(Budget(), running.address, tmp_path, stop=True))
        done = asyncio.run(run_within(Budget(), running.address, tmp_path, stop=False, mode="online"))
        billed = running.service.ledger.tokens

    assert (done.tokens.total, done.lost) == (billed + bound, 10)


def test_a_parameter_that_a_model_does_not_take_is_left_out_of_the_next_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its refusals are nobody's answers, and finding out costs no attempt, however many parameters there are."""
    takes_no(monkeypatch, "max_tokens", "temperature", "frequency_penalty")
    params = {"max_tokens": 20, "temperature": 0.5, "frequency_penalty": 0.1}
    with serving(MockEndpoint()) as running:
        made = answers(running, tmp_path, [replace(one, params=params) for one in requests(8)], Patience(attempts=2))
        jobs = jobs_of(running)

    assert all(one.text for one in made)
    assert jobs == ["completed"] * 4


def test_a_refusal_of_an_earlier_run_s_job_is_no_answer_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was handed down for a parameter before anybody asked for it."""
    one, other = requests(2)
    takes_no(monkeypatch, "max_tokens")

    async def twice(address: str) -> list[Answer]:
        async with open_endpoint(address, timeout_s=20) as endpoint:
            batches = Batched(BatchApi(endpoint), Jobs(tmp_path))
            return [await batches.ask(one), await batches.ask(other)]

    with serving(MockEndpoint(batch_s=0.5)) as running:
        asyncio.run(stopped(running.address, tmp_path, [one, other]))
        made = asyncio.run(twice(running.address))

    assert all(answer.text for answer in made)


def test_what_the_probes_of_the_form_learnt_the_jobs_know(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No job of a run is for nothing."""
    refused = takes_no(monkeypatch, "max_tokens")
    with serving(MockEndpoint()) as running:
        generate(running, tmp_path, tmp_path / "batch", "batch")

    assert len(refused) == 1


def generate(running: Running, folder: Path, output: Path, mode: str) -> bytes:
    """Run the source in a mode; return its records."""
    settings = Generate(
        n=12, model="mock", base_url=running.address, seeds=str(seed_file(folder)), round_size=6, mode=mode
    )
    run_source(settings, output)
    return (output / "records.jsonl").read_bytes()


def test_a_run_in_batches_makes_the_same_records(tmp_path: Path) -> None:
    """Byte for byte those of a run online, in a few jobs; the same journal serves both."""
    with serving(MockEndpoint()) as running:
        online = generate(running, tmp_path, tmp_path / "online", "online")
    with serving(MockEndpoint()) as running:
        batches = generate(running, tmp_path, tmp_path / "batch", "batch")
        jobs = jobs_of(running)

    assert batches == online
    assert 2 <= len(jobs) <= 8


def test_batches_need_an_endpoint() -> None:
    """The embedded model has none."""
    with pytest.raises(InputError, match="mode: expected an endpoint"):
        Generate(mode="batch")
    with pytest.raises(InputError, match="mode: expected online or batch, found later"):
        Generate(mode="later", base_url="http://localhost")
