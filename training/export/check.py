"""Is an exported file the model that it was made of? llama.cpp serves it, and says the same as transformers.

Every prompt must be cut into the same tokens. Every answer is taken greedily from both; where they part for the first
time, transformers must have found the two tokens about equally likely, because a file in f16 or q8_0 rounds.
"""

import json
import math
import os
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from schemas.errors import DollyError, InputError
from schemas.serving import wait_for_tasks
from training.checkpoint.reload import Asked, chat_ids, greedy
from training.export.gguf_file import GgufType

NEW_TOKENS = 24
"""Greedy tokens that are compared for each prompt."""
ASKED = (
    Asked("Name a colour."),
    Asked("Which of these is warm?", "Red is warm, blue is cold."),
    Asked("List 3 uses of 1,250 kg of sand: für Anfänger."),
    Asked("Write one line of Python that prints the numbers from 10 to 20.\n\n\tIndent it."),
)
"""Both forms of the prompt, digits, other letters, white space."""
ROUNDS: dict[GgufType, float] = {"f32": 0.01, "f16": 0.1, "bf16": 0.3, "q8_0": 0.5}
"""Type of a file → logits by which its first other token may be the less likely one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How far an exported file answers as its checkpoint does."""

    prompts: int
    tokens: int
    """Of the checkpoint's answers."""
    equal: int
    """How many of them llama.cpp said too, up to the first other one of each answer."""
    ended: int
    """Answers that llama.cpp ended by itself, as the checkpoint did."""


def has_llama_cpp() -> bool:
    """Say whether llama.cpp can be used here; its threads are told to wait without spinning before it is loaded."""
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        import xllamacpp  # noqa: F401  # only to see whether it is there
    except ImportError:
        return False
    return True


@contextmanager
def served(path: Path, context: int = 2048) -> Iterator[str]:
    """Serve a GGUF file by llama.cpp on this machine; yields its address.

    Raises:
        InputError: llama.cpp cannot read it.
    """
    import xllamacpp  # heavy

    params = xllamacpp.CommonParams()
    params.verbosity = -1
    params.model.path = str(path)
    params.port, params.n_parallel, params.n_ctx, params.cache_ram_mib = 0, 1, context, 0
    params.warmup = False
    params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32  # what transformers computes in
    try:
        server = xllamacpp.Server(params)
    except RuntimeError as error:
        raise InputError(place=path, expected="a file that llama.cpp reads", found=str(error)) from error
    try:
        wait_for_tasks(server.listening_address)
        yield str(server.listening_address)
    finally:
        del server  # stops it


def check_gguf(path: Path, model: Any, tokenizer: Any, kind: GgufType) -> Agreement:
    """Compare a file with the checkpoint it was made of, loaded in fp32.

    Raises:
        DollyError: it cuts a text otherwise, or answers otherwise by more than rounding.
    """
    tokens = equal = ended = 0
    with served(path) as address:
        for asked in ASKED:
            prompt = chat_ids(tokenizer, asked)
            _same_tokens(path, address, tokenizer.decode(prompt), prompt)
            expected, found = greedy(model, prompt, NEW_TOKENS), answer_of(address, prompt)
            until = _first_other(expected, found)
            if expected != found and (gap := _gap(model, prompt, expected, found)) > ROUNDS[kind]:
                raise DollyError(f"{path}: {_otherwise(until, gap, ROUNDS[kind])}")
            tokens, equal = tokens + len(expected), equal + until
            ended += expected == found and len(expected) < NEW_TOKENS
    return Agreement(prompts=len(ASKED), tokens=tokens, equal=equal, ended=ended)


def answer_of(address: str, prompt: tuple[int, ...], most: int = NEW_TOKENS) -> tuple[int, ...]:
    """Return llama.cpp's greedy tokens after a prompt."""
    settings = {"n_predict": most, "temperature": 0, "top_k": 1, "return_tokens": True, "cache_prompt": False}
    return tuple(post(f"{address}/completion", prompt=list(prompt), **settings)["tokens"])


def post(address: str, **body: Any) -> Any:
    """Post JSON to a server on this machine and return its answer."""
    request = urllib.request.Request(  # noqa: S310  # our own server
        address, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as said:  # noqa: S310  # the same
        return json.load(said)


def _same_tokens(path: Path, address: str, text: str, prompt: tuple[int, ...]) -> None:
    found = tuple(post(f"{address}/tokenize", content=text, add_special=False, parse_special=True)["tokens"])
    if found != prompt:
        raise DollyError(f"{path}: llama.cpp cuts a prompt into {len(found)} other tokens than the checkpoint's")


def _first_other(expected: tuple[int, ...], found: tuple[int, ...]) -> int:
    """Return how many tokens are the same before the first other one."""
    pairs = enumerate(zip(expected, found, strict=False))
    return next((place for place, pair in pairs if pair[0] != pair[1]), min(len(expected), len(found)))


@torch.inference_mode()
def _gap(model: Any, prompt: tuple[int, ...], expected: tuple[int, ...], found: tuple[int, ...]) -> float:
    """Return how much less likely the first other token is, in logits, to the model that did not say it."""
    at = _first_other(expected, found)
    if at >= min(len(expected), len(found)):
        return math.inf  # one went on where the other had ended
    logits = model(torch.tensor([(*prompt, *expected[:at])])).logits[0, -1]
    return float(logits[expected[at]] - logits[found[at]])


def _otherwise(at: int, gap: float, most: float) -> str:
    return (
        f"llama.cpp answers otherwise than the checkpoint: token {at + 1} of an answer is {gap:.2f} less likely "
        f"(in logits) than the checkpoint's own; {most:g} would be rounding"
    )
