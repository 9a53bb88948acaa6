"""The embedded model: served in this process by xllamacpp's llama-server, or run by transformers where that is missing.

llama-server is an OpenAI-compatible endpoint like any other, on loopback at a port of its own choosing.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from curation.generate.endpoint import Answer, Endpoint, Request, read_answer
from curation.generate.web import open_endpoint
from schemas.errors import InputError
from schemas.models import ModelPlace
from schemas.serving import wait_for_tasks

SLOTS_MOST = 16
"""Requests that are worked on at a time; more wait their turn. Each has its own share of memory."""
CONTEXT_TOKENS = 2048
"""Longest prompt and answer together, in tokens."""

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "<|im_start|>assistant\n"
)
"""The chat form of models that bring none of their own."""


@asynccontextmanager
async def open_embedded(place: ModelPlace, *, concurrency: int, timeout_s: float) -> AsyncIterator[Endpoint]:
    """Open a model of this machine as an endpoint, with llama.cpp if it can read it, else with transformers."""
    if place.gguf_file and has_llama_cpp():
        with _llama_server(place, concurrency) as address:
            async with open_endpoint(address, timeout_s=timeout_s, own=True) as endpoint:
                yield endpoint
    else:
        yield TransformersEndpoint(place)


def has_llama_cpp() -> bool:
    """Say whether llama.cpp can be used, and see to it that it is loaded with threads that wait without spinning."""
    # libgomp reads this once, when it is loaded. Spinning threads stand still whenever another process takes a core:
    # six times slower beside one busy neighbour, no faster alone.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        import xllamacpp  # noqa: F401  # only to see whether it is there
    except ImportError:
        return False
    return True


@contextmanager
def _llama_server(place: ModelPlace, concurrency: int) -> Iterator[str]:
    """Serve a GGUF file; yields the address of its API. llama.cpp's log is turned off."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.verbosity = -1
    params.model.path = str(Path(place.path) / place.gguf_file)
    params.model_alias = {place.name}
    params.port = 0
    params.n_parallel = min(concurrency, SLOTS_MOST)
    params.n_ctx = CONTEXT_TOKENS * params.n_parallel
    params.cache_ram_mib = 0  # prompts differ; slots keep the beginnings that do not
    try:
        server = xllamacpp.Server(params)
    except RuntimeError as error:
        raise InputError(
            place=params.model.path, expected="a model that llama.cpp can read", found=str(error)
        ) from error
    wait_for_tasks(server.listening_address)
    yield f"{server.listening_address}/v1"
    del server


class TransformersEndpoint:
    """A model run by transformers, one request at a time: slow, but it needs nothing else."""

    def __init__(self, place: ModelPlace) -> None:
        self._place = place
        self._one_at_a_time = asyncio.Lock()
        self._loaded: tuple[Any, Any] | None = None

    async def ask(self, request: Request) -> Answer:
        """Return the answer to a request, as an endpoint would give it."""
        async with self._one_at_a_time:
            return read_answer(await asyncio.to_thread(self._completion, request))

    def _completion(self, request: Request) -> dict[str, Any]:
        import torch  # noqa: PLC0415  # heavy

        tokenizer, model = self._loaded = self._loaded or _load(self._place)
        prompt = _prompt(tokenizer, request)
        temperature = float(request.params.get("temperature", 1))
        limit = int(request.params.get("max_tokens", CONTEXT_TOKENS))
        with torch.inference_mode():
            whole = model.generate(
                **prompt,
                max_new_tokens=limit,
                do_sample=temperature > 0,
                temperature=temperature or None,
                pad_token_id=tokenizer.eos_token_id,
            )
        new = whole[0, prompt["input_ids"].shape[1] :]
        ended = tokenizer.eos_token_id in new.tolist()
        return {
            "model": self._place.name,
            "choices": [
                {
                    "message": {"role": "assistant", "content": tokenizer.decode(new, skip_special_tokens=True)},
                    "finish_reason": "stop" if ended else "length",
                }
            ],
            "usage": {"prompt_tokens": prompt["input_ids"].shape[1], "completion_tokens": len(new)},
        }


def _prompt(tokenizer: Any, request: Request) -> Any:
    """Return a request's tokens: of a raw prompt as it stands, else of the chat in the model's form."""
    if request.prompt:
        return tokenizer(request.prompt, return_tensors="pt")
    messages = [message._asdict() for message in request.messages]
    return tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)


def _load(place: ModelPlace) -> tuple[Any, Any]:
    """Load tokenizer and model, in bfloat16 where the processor computes in it."""
    import torch  # noqa: PLC0415  # heavy
    from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415  # heavy

    settings = {"gguf_file": place.gguf_file} if place.gguf_file else {}
    tokenizer = AutoTokenizer.from_pretrained(place.path, **settings)
    tokenizer.chat_template = tokenizer.chat_template or CHATML
    model = AutoModelForCausalLM.from_pretrained(place.path, dtype=torch.float32, **settings)
    return tokenizer, model.eval()
