"""The embedded model, really: SmolLM2 served by llama.cpp in this process, and a tiny model run by transformers."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from curation.generate.embedded import CHATML, TransformersEndpoint, has_llama_cpp, open_embedded
from curation.generate.endpoint import Answer, Endpoint, Message, OpenAIEndpoint, Request
from schemas.errors import InputError
from schemas.models import ModelPlace, resolve
from tests.support import ROOT
from tests.training.tiny import save_tiny


def request(text: str, **params: float) -> Request:
    """Return a short request."""
    return Request(model="smollm2-135m", messages=(Message("user", text),), params={"max_tokens": 12, **params})


@pytest.fixture(scope="module")
def smollm2() -> Iterator[Endpoint]:
    """Serve the embedded model with llama.cpp."""
    pytest.importorskip("xllamacpp")
    with open_embedded(resolve("smollm2-135m"), concurrency=2, timeout_s=600) as endpoint:
        yield endpoint


def test_the_embedded_model_answers_like_any_endpoint(smollm2: Endpoint) -> None:
    """Over HTTP, with its name, usage and reason of the end; no path of this machine is in the answer."""
    answer = smollm2.ask(request("What is the capital of France? One word.", temperature=0))

    assert isinstance(smollm2, OpenAIEndpoint)
    assert "Paris" in answer.text
    assert answer.model == "smollm2-135m"
    assert answer.prompt_tokens
    assert answer.completion_tokens
    assert "/" not in answer.model
    assert "site-packages" not in str(answer.body)


def test_it_says_when_it_was_cut(smollm2: Endpoint) -> None:
    """A long answer within few tokens ends with `length`."""
    assert smollm2.ask(request("Tell me a long story.", max_tokens=4)).finish_reason == "length"


def test_it_answers_several_at_a_time(smollm2: Endpoint) -> None:
    """More requests than it has slots wait their turn."""
    with ThreadPoolExecutor(4) as threads:
        answers: list[Answer] = list(threads.map(lambda at: smollm2.ask(request(f"Count to {at}.")), range(2, 6)))

    assert all(answer.text for answer in answers)


def test_a_prompt_that_is_too_long_is_refused_and_the_next_one_answered(smollm2: Endpoint) -> None:
    """The server says how much too long; the run goes on."""
    smollm2.ask(request("Say yes.", max_tokens=2))
    refused = smollm2.ask(request("word " * 5000))
    after = smollm2.ask(request("Say yes.", max_tokens=2))

    assert refused.finish_reason == "refused"
    assert "context" in str(refused.body["error"])
    assert after.finish_reason in ("stop", "length")


def test_its_log_does_not_reach_the_terminal(tmp_path: Path) -> None:
    """Neither output nor error has a line of llama.cpp."""
    pytest.importorskip("xllamacpp")
    code = (
        "from curation.generate.embedded import open_embedded; from schemas.models import resolve\n"
        "with open_embedded(resolve('smollm2-135m'), concurrency=1, timeout_s=600): pass"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)

    assert (done.stdout, done.stderr) == ("", "")


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    """It is named, with what was expected."""
    pytest.importorskip("xllamacpp")
    (tmp_path / "broken.gguf").write_bytes(b"GGUF but no more")

    with (
        pytest.raises(InputError, match=r"broken.gguf: expected a model that llama.cpp can read"),
        open_embedded(resolve(str(tmp_path / "broken.gguf")), concurrency=1, timeout_s=60),
    ):
        pass


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> ModelPlace:
    """Save a tiny model with random weights."""
    return resolve(str(save_tiny(tmp_path_factory.mktemp("tiny"))))


def test_a_folder_is_run_by_transformers(tiny: ModelPlace) -> None:
    """What llama.cpp cannot read is answered all the same, in the same shape."""
    with open_embedded(tiny, concurrency=2, timeout_s=60) as endpoint:
        answer = endpoint.ask(request("Name three colours.", max_tokens=6))

    assert isinstance(endpoint, TransformersEndpoint)
    assert answer.finish_reason in ("stop", "length")
    assert answer.model == tiny.name
    assert answer.completion_tokens is not None
    assert 0 < answer.completion_tokens <= 6


def test_the_weights_of_a_gguf_are_run_by_transformers_where_llama_cpp_is_missing(
    tiny: ModelPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The import fails, the endpoint is another one."""
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    place = ModelPlace(name="some", path=tiny.path, gguf_file="some.gguf")

    with open_embedded(place, concurrency=1, timeout_s=60) as endpoint:
        assert isinstance(endpoint, TransformersEndpoint)


def test_transformers_says_when_it_was_cut_and_when_it_ended(tiny: ModelPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the end token, not by counting."""
    import torch  # noqa: PLC0415  # heavy

    endpoint = TransformersEndpoint(tiny)
    endpoint.ask(request("a", max_tokens=1))
    assert endpoint._loaded is not None
    tokenizer, model = endpoint._loaded
    for last, reason in ((tokenizer.eos_token_id, "stop"), (5, "length")):
        monkeypatch.setattr(
            model, "generate", lambda last=last, **given: torch.cat([given["input_ids"], torch.tensor([[7, last]])], 1)
        )

        assert endpoint.ask(request("a", max_tokens=2)).finish_reason == reason


def test_a_model_without_a_chat_form_gets_one(tiny: ModelPlace) -> None:
    """ChatML, which llama.cpp falls back on as well."""
    endpoint = TransformersEndpoint(tiny)
    endpoint.ask(request("a", max_tokens=1))

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
