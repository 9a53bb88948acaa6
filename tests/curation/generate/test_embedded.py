"""The embedded model, really: SmolLM2 served by llama.cpp in this process, and a tiny model run by transformers."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from curation.generate.embedded import CHATML, TransformersEndpoint, has_llama_cpp, open_embedded
from curation.generate.endpoint import Answer, Endpoint, Message, Request
from curation.generate.web import OpenAIEndpoint
from schemas.errors import InputError
from schemas.models import ModelPlace, resolve
from tests.curation.generate.scripted import answer_of
from tests.support import ROOT
from tests.training.tiny import save_tiny


def request(text: str, **params: float) -> Request:
    """Return a short request."""
    return Request(model="smollm2-135m", messages=(Message("user", text),), params={"max_tokens": 12, **params})


async def ask_all(place: ModelPlace, *requests: Request) -> tuple[Endpoint, list[Answer]]:
    """Ask one after another, and return who answered as well."""
    async with open_embedded(place, concurrency=2, timeout_s=600) as endpoint:
        return endpoint, [await endpoint.ask(one) for one in requests]


def answers_of(place: ModelPlace, *requests: Request) -> list[Answer]:
    """Ask one after another."""
    return asyncio.run(ask_all(place, *requests))[1]


@pytest.fixture(scope="module")
def smollm2() -> ModelPlace:
    """Find the embedded model, which llama.cpp serves."""
    pytest.importorskip("xllamacpp")
    return resolve("smollm2-135m")


def test_the_embedded_model_answers_like_any_endpoint(smollm2: ModelPlace) -> None:
    """Over HTTP, with its name, usage and reason of the end; no path of this machine is in the answer."""
    asked = request("What is the capital of France? One word.", temperature=0)
    endpoint, [answer] = asyncio.run(ask_all(smollm2, asked))

    assert isinstance(endpoint, OpenAIEndpoint)
    assert "Paris" in answer.text
    assert answer.model == "smollm2-135m"
    assert answer.prompt_tokens
    assert answer.completion_tokens
    assert "/" not in answer.model
    assert "site-packages" not in str(answer.body)


def test_it_says_when_it_was_cut(smollm2: ModelPlace) -> None:
    """A long answer within few tokens ends with `length`."""
    assert answers_of(smollm2, request("Tell me a long story.", max_tokens=4))[0].finish_reason == "length"


def test_it_answers_several_at_a_time(smollm2: ModelPlace) -> None:
    """More requests than it has slots wait their turn."""

    async def at_once() -> list[Answer]:
        async with open_embedded(smollm2, concurrency=2, timeout_s=600) as endpoint:
            return await asyncio.gather(*(endpoint.ask(request(f"Count to {at}.")) for at in range(2, 6)))

    assert all(answer.text for answer in asyncio.run(at_once()))


def test_a_prompt_that_is_too_long_is_refused_and_the_next_one_answered(smollm2: ModelPlace) -> None:
    """The server says how much too long; the run goes on."""
    short = request("Say yes.", max_tokens=2)
    _, refused, after = answers_of(smollm2, short, request("word " * 5000), short)

    assert refused.finish_reason == "refused"
    assert "context" in str(refused.body["error"])
    assert after.finish_reason in ("stop", "length")


def test_its_log_does_not_reach_the_terminal(tmp_path: Path) -> None:
    """Neither output nor error has a line of llama.cpp."""
    pytest.importorskip("xllamacpp")
    code = (
        "import asyncio; from curation.generate.embedded import open_embedded; from schemas.models import resolve\n"
        "async def main():\n"
        "    async with open_embedded(resolve('smollm2-135m'), concurrency=1, timeout_s=600): pass\n"
        "asyncio.run(main())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)

    assert (done.stdout, done.stderr) == ("", "")


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    """It is named, with what was expected."""
    pytest.importorskip("xllamacpp")
    (tmp_path / "broken.gguf").write_bytes(b"GGUF but no more")

    with pytest.raises(InputError, match=r"broken.gguf: expected a model that llama.cpp can read"):
        answers_of(resolve(str(tmp_path / "broken.gguf")))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> ModelPlace:
    """Save a tiny model with random weights."""
    return resolve(str(save_tiny(tmp_path_factory.mktemp("tiny"))))


def test_a_folder_is_run_by_transformers(tiny: ModelPlace) -> None:
    """What llama.cpp cannot read is answered all the same, in the same shape."""
    endpoint, [answer] = asyncio.run(ask_all(tiny, request("Name three colours.", max_tokens=6)))

    assert isinstance(endpoint, TransformersEndpoint)
    assert answer.finish_reason in ("stop", "length")
    assert answer.model == tiny.name
    assert answer.completion_tokens is not None
    assert 0 < answer.completion_tokens <= 6


def test_transformers_continues_a_raw_prompt(tiny: ModelPlace) -> None:
    """Without the chat form: its tokens are those of the prompt alone."""
    raw = Request(model="tiny", messages=(), prompt="Name three", params={"max_tokens": 3})
    chat = request("Name three", max_tokens=3)
    [one, other] = answers_of(tiny, raw, chat)

    assert one.completion_tokens
    assert one.prompt_tokens is not None
    assert other.prompt_tokens is not None
    assert 0 < one.prompt_tokens < other.prompt_tokens


def test_llama_cpp_continues_a_raw_prompt(smollm2: ModelPlace) -> None:
    """The model's own words of a user, which `magpie` lives on."""
    raw = Request(model="smollm2-135m", messages=(), prompt="<|im_start|>user\n", params={"max_tokens": 12})

    assert answers_of(smollm2, raw)[0].text


def test_the_weights_of_a_gguf_are_run_by_transformers_where_llama_cpp_is_missing(
    tiny: ModelPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The import fails, the endpoint is another one."""
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    place = ModelPlace(name="some", path=tiny.path, gguf_file="some.gguf")

    endpoint, _ = asyncio.run(ask_all(place))

    assert isinstance(endpoint, TransformersEndpoint)


def test_transformers_says_when_it_was_cut_and_when_it_ended(tiny: ModelPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the end token, not by counting."""
    import torch  # noqa: PLC0415  # heavy

    endpoint = TransformersEndpoint(tiny)
    answer_of(endpoint, request("a", max_tokens=1))
    assert endpoint._loaded is not None
    tokenizer, model = endpoint._loaded
    for last, reason in ((tokenizer.eos_token_id, "stop"), (5, "length")):
        monkeypatch.setattr(
            model, "generate", lambda last=last, **given: torch.cat([given["input_ids"], torch.tensor([[7, last]])], 1)
        )

        assert answer_of(endpoint, request("a", max_tokens=2)).finish_reason == reason


def test_a_model_without_a_chat_form_gets_one(tiny: ModelPlace) -> None:
    """ChatML, which llama.cpp falls back on as well."""
    endpoint = TransformersEndpoint(tiny)
    answer_of(endpoint, request("a", max_tokens=1))

    assert endpoint._loaded is not None
    assert endpoint._loaded[0].chat_template == CHATML


def test_waiting_threads_leave_the_cores_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set before libgomp is loaded: six times the speed beside another busy process. What is set already stays."""
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    has_llama_cpp()
    ours = os.environ["OMP_WAIT_POLICY"]
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    has_llama_cpp()

    assert (ours, os.environ["OMP_WAIT_POLICY"]) == ("passive", "active")
