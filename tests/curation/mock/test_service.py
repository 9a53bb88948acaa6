"""The mock endpoint speaks OpenAI's API as its clients expect it, deterministically, and keeps its books."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import openai  # noqa: TID253  # these tests are of what it expects
import orjson
import pytest
from pydantic import BaseModel

from curation.generate.source import Generate
from curation.mock.ledger import read_ledger
from curation.mock.serve import Running, serving
from curation.mock.service import MockEndpoint
from curation.pipeline import run_source
from schemas.errors import InputError
from tests.curation.mock.asking import ask, said, send
from tests.support import ROOT


class Task(BaseModel):
    """What is asked for in JSON."""

    instruction: str
    context: str | None
    response: str
    category: Literal["open_qa", "summarization"]
    difficulty: int
    tags: list[str]


class Tasks(BaseModel):
    """A list of it."""

    tasks: list[Task]


@contextmanager
def client_of(running: Running, key: str = "any") -> Iterator[openai.OpenAI]:
    """Open the real client."""
    web = openai.DefaultHttpxClient(trust_env=False)
    with openai.OpenAI(base_url=running.address, api_key=key, max_retries=0, http_client=web) as client:
        yield client


def schema_of(shape: type[BaseModel]) -> dict[str, Any]:
    """Return a `response_format` that wants the shape."""
    return {"type": "json_schema", "json_schema": {"name": "tasks", "schema": shape.model_json_schema()}}


def test_the_same_request_and_seed_have_the_same_answer() -> None:
    """In another process too; another seed or request has another one."""
    with serving(MockEndpoint()) as one, serving(MockEndpoint()) as two, serving(MockEndpoint(seed=2)) as other:
        texts = [ask(running).text for running in (one, one, two, other)]
        different = ask(one, **said("Why does bread not rise?")).text

    assert texts[0] == texts[1] == texts[2] != texts[3]
    assert different != texts[0]


def test_lists_have_the_length_that_is_asked_for() -> None:
    """Numbered lines, all different."""
    with serving(MockEndpoint()) as running:
        lines = ask(running, **said("Write 7 new brainstorming tasks.")).text.splitlines()

    assert [line.partition(". ")[0] for line in lines] == list("1234567")
    assert len(set(lines)) == 7


def test_json_fits_the_schema() -> None:
    """Nested, with references, choices and nulls; as many items as the words ask for."""
    with serving(MockEndpoint()) as running:
        got = ask(running, **said("Write 5 summarization tasks."), response_format=schema_of(Tasks))
        free = ask(running, response_format={"type": "json_object"})

    tasks = Tasks.model_validate_json(got.text).tasks
    assert len(tasks) == 5
    assert {task.category for task in tasks} == {"summarization"}
    assert all(task.instruction and task.response for task in tasks)
    assert isinstance(orjson.loads(free.text), dict)


def test_a_schema_that_goes_round_in_a_circle_is_answered() -> None:
    """Filled to a depth, then with nulls."""
    schema = {"type": "object", "properties": {"next": {"$ref": "#"}}}
    form = {"type": "json_schema", "json_schema": {"name": "loop", "schema": schema}}

    with serving(MockEndpoint()) as running:
        text = ask(running, response_format=form).text

    assert '"next":null' in text


def test_tools_are_called() -> None:
    """With arguments that fit their parameters, and their own finish reason."""
    function = {"name": "write_tasks", "parameters": Tasks.model_json_schema()}

    with serving(MockEndpoint()) as running:
        (choice,) = ask(running, tools=[{"type": "function", "function": function}]).json["choices"]

    call = choice["message"]["tool_calls"][0]["function"]
    assert choice["finish_reason"] == "tool_calls"
    assert call["name"] == "write_tasks"
    assert Tasks.model_validate_json(call["arguments"])


def test_limits_choices_and_stops_are_obeyed() -> None:
    """`max_tokens` cuts and says so, `n` gives different choices, `stop` ends before it."""
    with serving(MockEndpoint()) as running:
        cut = ask(running, max_tokens=3).json
        several = ask(running, n=3).json
        stopped = ask(running, stop=[" "]).text

    assert cut["choices"][0]["finish_reason"] == "length"
    assert cut["usage"]["completion_tokens"] == 3
    assert len({choice["message"]["content"] for choice in several["choices"]}) == 3
    assert " " not in stopped


def test_a_text_has_no_more_tokens_than_bytes() -> None:
    """So that a bound by bytes is a bound."""
    with serving(MockEndpoint()) as running:
        for text in ("a", "ü" * 9, "漢字" * 50, "", "x" * 999):
            usage = ask(running, **said(text)).json["usage"]

            assert usage["prompt_tokens"] <= len(text.encode()) + 16


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"messages": []}, "at least one message"),
        ({"messages": [{"content": "x"}]}, "at least one message"),
        ({"model": ""}, "model parameter"),
        ({"max_tokens": 0}, "'max_tokens' must be a positive integer"),
        ({"n": "two"}, "'n' must be a positive integer"),
    ],
)
def test_a_request_that_no_endpoint_takes(more: dict[str, Any], says: str) -> None:
    """400, in words."""
    with serving(MockEndpoint()) as running:
        got = ask(running, **more)

    assert got.status == 400
    assert says in got.json["error"]["message"]


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"\xff"])
def test_a_body_that_is_no_object(body: bytes) -> None:
    """400, and the connection goes on."""
    with serving(MockEndpoint()) as running:
        got = send(running, "POST", "/chat/completions", body)

    assert got.status == 400


@pytest.mark.parametrize(
    ("refuse", "status"), [("unauthorized", 401), ("forbidden", 403), ("not_found", 404), ("quota", 429)]
)
def test_everything_refused(refuse: str, status: int) -> None:
    """With the status and the code of the API."""
    with serving(MockEndpoint(refuse=refuse)) as running:
        got = ask(running)

    assert got.status == status
    assert got.json["error"]["code"]


def test_the_wrong_key_is_refused_and_repeated() -> None:
    """As OpenAI does: a client must not pass it on."""
    with serving(MockEndpoint(api_key="sk-right")) as running:
        wrong = send(running, "GET", "/models", Authorization="Bearer sk-wrong")
        right = send(running, "GET", "/models", Authorization="Bearer sk-right")

    assert wrong.status == 401
    assert "sk-wrong" in wrong.json["error"]["message"]
    assert right.json["data"][0]["id"] == "mock"


def test_a_quota_ends() -> None:
    """What would go over it is refused, and nothing is billed for that."""
    with serving(MockEndpoint(quota_tokens=100)) as running:
        statuses = [ask(running, **said(f"question {number}")).status for number in range(20)]
        billed = running.service.ledger.tokens

    assert statuses[0] == 200
    assert statuses[-1] == 429
    assert 0 < billed <= 100


def test_requests_a_second_are_limited_and_reported() -> None:
    """More get a 429 that says when to come back, which is true; headers count down."""
    with serving(MockEndpoint(requests_per_s=5)) as running:
        came = [ask(running) for _ in range(8)]
        time.sleep(float(came[-1].headers["retry-after"]) + 0.02)
        later = ask(running)

    assert [one.status for one in came[:5]] == [200] * 5
    assert came[-1].status == 429
    assert [int(one.headers["x-ratelimit-remaining-requests"]) for one in came[:3]] == [4, 3, 2]
    assert later.status == 200


def test_tokens_a_minute_are_limited() -> None:
    """The same, counted in tokens."""
    with serving(MockEndpoint(tokens_per_minute=120)) as running:
        came = [ask(running) for _ in range(6)]

    assert came[0].status == 200
    assert came[-1].status == 429
    assert came[0].headers["x-ratelimit-limit-tokens"] == "120"


def test_slow_tokens_take_their_time_and_slots_their_turn() -> None:
    """An answer takes latency and tokens; with one slot, two answers take twice as long."""
    with serving(MockEndpoint(latency_s=0.1, tokens_per_s=1_000, slots=1)) as running, ThreadPoolExecutor(2) as threads:
        started = time.monotonic()
        list(threads.map(lambda _: ask(running, max_tokens=10), range(2)))
        seconds = time.monotonic() - started

    assert seconds >= 0.2


def test_a_stream_is_the_answer_in_pieces() -> None:
    """The real client puts them together again, and reads the usage at the end."""
    with serving(MockEndpoint(tokens_per_s=2_000)) as running, client_of(running) as client:
        events = list(
            client.chat.completions.create(
                model="mock",
                messages=[{"role": "user", "content": "Why does bread rise?"}],
                stream=True,
                stream_options={"include_usage": True},
            )
        )
        whole = ask(running, stream=False)

    text = "".join(event.choices[0].delta.content or "" for event in events if event.choices)
    assert text
    assert events[-1].usage is not None
    assert whole.status == 200


def test_raw_prompts_are_continued() -> None:
    """After the mark of a user's turn a user speaks."""
    with serving(MockEndpoint()) as running, client_of(running) as client:
        user = client.completions.create(model="mock", prompt="<|im_start|>user\n", max_tokens=60).choices[0].text
        other = client.completions.create(model="mock", prompt="Bread rises because", max_tokens=60).choices[0].text

    assert user
    assert other.startswith("It comes down to")


def batch_file(count: int) -> bytes:
    """Return a file of requests."""
    rows = [
        {
            "custom_id": f"r{number}",
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": {"model": "mock", **said(f"question {number}")},
        }
        for number in range(count)
    ]
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)


@pytest.mark.parametrize(("share", "status", "answered"), [(1.0, "completed", 10), (0.6, "expired", 6)])
def test_a_batch_goes_through_the_real_client(share: float, status: str, answered: int, tmp_path: Path) -> None:
    """Uploaded, submitted, polled, read; an expired one yields what it finished, and bills only that."""
    settings = MockEndpoint(batch_done=share, batch_s=0.1, ledger=str(tmp_path / "ledger.jsonl"))
    with serving(settings) as running, client_of(running) as client:
        file = client.files.create(file=("in.jsonl", batch_file(10)), purpose="batch")
        batch = client.batches.create(
            input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h", metadata={"a": "b"}
        )
        first = client.batches.retrieve(batch.id)
        time.sleep(0.12)
        ended = client.batches.retrieve(batch.id)
        rows = [orjson.loads(line) for line in client.files.content(ended.output_file_id or "").content.splitlines()]
        listed = client.batches.list().data
        content = client.files.content(file.id).content

    assert first.status == "in_progress"
    assert (ended.status, [row["custom_id"] for row in rows]) == (status, [f"r{number}" for number in range(answered)])
    assert all(row["response"]["body"]["choices"] for row in rows)
    assert [one.metadata for one in listed] == [{"a": "b"}]
    assert content == batch_file(10)
    assert len(list(read_ledger(tmp_path / "ledger.jsonl"))) == answered


def test_what_is_not_there() -> None:
    """404 for files, batches, models and addresses."""
    with serving(MockEndpoint()) as running:
        paths = ("/files/x", "/files/x/content", "/batches/x", "/models/x", "/nothing")

        assert [send(running, "GET", path).status for path in paths] == [404] * 5


def test_a_setting_that_cannot_be_meant() -> None:
    """It is named."""
    with pytest.raises(InputError, match="--refuse: expected one of unauthorized"):
        MockEndpoint(refuse="everything")


def test_generate_can_be_rehearsed(tmp_path: Path) -> None:
    """A whole run with the shipped seeds and every category; what is kept is what a model might have written."""
    with serving(MockEndpoint(ledger=str(tmp_path / "ledger.jsonl"))) as running:
        source = Generate(n=60, model="mock", base_url=running.address, concurrency=8)
        step = run_source(source, tmp_path / "1").step
        billed = sum(1 for _ in read_ledger(tmp_path / "ledger.jsonl"))

    counts = step.manifest.counts
    assert counts.kept == 60
    assert counts.kept > 2 * counts.rejected
    assert len({record.category for record in step.records()}) == 8
    assert billed == running.service.ledger.requests > 60


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_says_where_it_is_and_ends_at_a_signal(number: signal.Signals, tmp_path: Path) -> None:
    """One line with the address; at the end what was billed; exit 0."""
    command = [sys.executable, "-m", "curation.cli", "mock-endpoint", "--ledger", str(tmp_path / "ledger.jsonl")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        with openai.OpenAI(
            base_url=address, api_key="x", http_client=openai.DefaultHttpxClient(trust_env=False)
        ) as client:
            client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hello"}])
        process.send_signal(number)
        rest = process.stdout.read()

    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/v1", address)
    assert re.fullmatch(r"1 requests, \d+ tokens billed\n", rest)
    assert process.returncode == 0
    assert len(list(read_ledger(tmp_path / "ledger.jsonl"))) == 1


def test_a_port_that_is_taken() -> None:
    """It is named, with exit 1."""
    with serving(MockEndpoint()) as running:
        port = running.address.rpartition(":")[2].removesuffix("/v1")
        done = subprocess.run(
            [sys.executable, "-m", "curation.cli", "mock-endpoint", "--port", port],
            capture_output=True, text=True, check=False, cwd=ROOT,
        )  # fmt: skip

    assert done.returncode == 1
    assert f"--port {port}: expected a free port" in done.stderr


def test_the_faults_are_listed() -> None:
    """Each with what happens."""
    command = [sys.executable, "-m", "curation.cli", "mock-endpoint", "--faults"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout

    assert "disconnect_amid    The connection is closed after half of the body." in listed
