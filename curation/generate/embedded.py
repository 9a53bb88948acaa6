"""The embedded model, served in this process.

xllamacpp is llama.cpp's own server: it listens on a free loopback port and is asked like any other endpoint. Where it
is missing, transformers answers, one request at a time.
"""

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from curation.generate.endpoint import Endpoint, OpenAIEndpoint, Request
from schemas.errors import EndpointError
from schemas.models import ModelPlace

SLOT_TOKENS = 2048
"""Context of one request, prompt and answer together."""
SILENT = -1


@contextmanager
def serve(place: ModelPlace, slots: int) -> Iterator[Endpoint]:
    """Serve the model at `place` to `slots` requests at a time for as long as the context lasts.

    Raises:
        EndpointError: it cannot be loaded.
    """
    if place.gguf_file and find_spec("xllamacpp"):
        yield from _llama(place, slots)
    else:
        yield TransformersEndpoint(place)


def _llama(place: ModelPlace, slots: int) -> Iterator[Endpoint]:
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # waiting threads would take the cores from the working ones
    from xllamacpp import CommonParams, Server

    parameters = CommonParams()
    parameters.model.path = str(Path(place.path) / place.gguf_file)
    parameters.port = 0
    parameters.n_parallel = slots
    parameters.n_ctx = SLOT_TOKENS * slots
    parameters.verbosity = SILENT
    try:
        server = Server(parameters)
    except Exception as error:
        raise EndpointError(f"the embedded model {place.name} cannot be served: {error}") from error
    yield OpenAIEndpoint(f"{server.listening_address}/v1", place.name)
    del server


class TransformersEndpoint:
    """A model answered for by transformers: slower, and everywhere."""

    def __init__(self, place: ModelPlace) -> None:
        """Load the model; its weights may be GGUF."""
        from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415  # heavy

        more = {"gguf_file": place.gguf_file} if place.gguf_file else {}
        self.model = place.name
        self._tokenizer = AutoTokenizer.from_pretrained(place.path, **more)
        self._network = AutoModelForCausalLM.from_pretrained(place.path, **more).eval()
        self._lock = threading.Lock()

    def ask(self, request: Request, /) -> Mapping[str, Any]:
        """Answer one request; others wait. The same request has the same answer."""
        import torch  # noqa: PLC0415  # heavy

        with self._lock, torch.inference_mode():
            torch.manual_seed(request.seed)
            prompt = self._prompt(request)
            options = {"do_sample": request.temperature > 0, "temperature": request.temperature or None}
            whole = self._network.generate(**prompt, max_new_tokens=request.max_tokens, **options)[0]
        said = whole[prompt["input_ids"].shape[1] :]
        text = self._tokenizer.decode(said, skip_special_tokens=True)
        cut = len(said) >= request.max_tokens and int(said[-1]) not in self._ends()
        usage = {"prompt_tokens": prompt["input_ids"].shape[1], "completion_tokens": len(said)}
        choice = {"message": {"content": text}, "finish_reason": "length" if cut else "stop"}
        return {"model": self.model, "choices": [choice], "usage": usage}

    def _prompt(self, request: Request) -> dict[str, Any]:
        if request.prompt:
            return dict(self._tokenizer(request.prompt, return_tensors="pt"))
        messages = list(request.messages)
        options = {"add_generation_prompt": True, "return_tensors": "pt", "return_dict": True}
        return dict(self._tokenizer.apply_chat_template(messages, **options))

    def _ends(self) -> set[int]:
        ends = self._network.generation_config.eos_token_id
        return set(ends) if isinstance(ends, list) else {ends, self._tokenizer.eos_token_id}
