"""A checkpoint is read again before it is published: by plain transformers, with nothing but the folder.

Weights that were tied, cast, renamed or sharded wrongly, a tokenizer that lost a key, a chat template that is not the
training prompt: each gives other tokens here, while the model that was trained is still in memory. Adapters are read by
peft, into their base.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from schemas.errors import DollyError
from schemas.record import InstructionRecord
from training.checkpoint.adapters import Where
from training.checkpoint.checkpoint import Reloaded
from training.model.load import quiet
from training.records.encoding import Encoder

NEW_TOKENS = 16
"""Greedy tokens that are compared for each prompt."""
RECORDS = 2
"""Prompts of the data that are tried, besides those of `ASKED`."""
LONGEST = 512
"""Tokens of a prompt that is tried: the check is to cost seconds."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A prompt to try."""

    instruction: str
    context: str = ""


ASKED = (Asked("Name a colour."), Asked("Which of these is warm?", "Red is warm, blue is cold."))
"""Both forms of the prompt."""


def read_whole(folder: Path, where: Where) -> Any:
    """Read a whole model."""
    return AutoModelForCausalLM.from_pretrained(folder, dtype=where.dtype).to(where.device)


def check_reload(
    folder: Path,
    model: Any,
    encoder: Encoder,
    records: Sequence[InstructionRecord],
    read: Callable[[Path, Where], Any] = read_whole,
) -> Reloaded:
    """Compare the checkpoint in `folder` with the model in memory: tokens of the prompts, greedy tokens of the answers.

    The model in memory is asked first and then let go, so that two need not be there at once: its numbers are gone.

    Raises:
        DollyError: they differ; says where.
    """
    asked = list(_asked(encoder, records, model))
    prompts = [encoder.prompt(one.instruction, one.context) for one in asked]
    answers = [greedy(model, prompt) for prompt in prompts]
    where = Where(model.dtype, model.device)
    if not getattr(model, "is_loaded_in_4bit", False):  # bitsandbytes' weights cannot go that way, and are small
        model.to("meta")
    with quiet():
        tokenizer = AutoTokenizer.from_pretrained(folder)
        again = read(folder, where)
    for one, prompt, said in zip(asked, prompts, answers, strict=True):
        _same(folder, "prompt", prompt, chat_ids(tokenizer, one))
        _same(folder, "answer", said, greedy(again, prompt))
    return Reloaded(prompts=len(asked), tokens=sum(map(len, answers)))


def chat_ids(tokenizer: Any, asked: Asked) -> tuple[int, ...]:
    """Return the tokens of a chat with one user turn, as any program makes them."""
    turns = [{"role": "user", "content": asked.instruction}]
    ids = tokenizer.apply_chat_template(turns, context=asked.context, add_generation_prompt=True)["input_ids"]
    return tuple(ids)


@torch.inference_mode()
def greedy(model: Any, prompt: Sequence[int], most: int = NEW_TOKENS) -> tuple[int, ...]:
    """Return the likeliest tokens after a prompt, up to the one that ends the answer, by the model's own settings."""
    ids = torch.tensor([prompt], device=model.device)
    with quiet():
        out = model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=most)
    return tuple(out[0, len(prompt) :].tolist())


def _asked(encoder: Encoder, records: Sequence[InstructionRecord], model: Any) -> Iterator[Asked]:
    """Yield what is tried; not a text with a key in it, which chat templates take for the key."""
    longest = min(LONGEST, getattr(model.config.get_text_config(), "max_position_embeddings", LONGEST) - NEW_TOKENS)
    yield from ASKED
    left, special = RECORDS, tuple(encoder.tokenizer.get_added_vocab())
    for record in records:
        if not left:
            return
        plain = not any(key in text for key in special for text in (record.instruction, record.context))
        if plain and len(encoder.prompt(record.instruction, record.context)) <= longest:
            left -= 1
            yield Asked(record.instruction, record.context)


def _same(folder: Path, what: str, expected: Sequence[int], found: Sequence[int]) -> None:
    if tuple(expected) == tuple(found):
        return
    at = next(
        (place for place, pair in enumerate(zip(expected, found, strict=False)) if pair[0] != pair[1]),
        min(len(expected), len(found)),
    )
    raise DollyError(
        f"{folder}: read again, the checkpoint is not the model that was trained: {what} token {at + 1} is "
        f"{_at(found, at)}, in memory it was {_at(expected, at)}; --no-reload-check writes it all the same"
    )


def _at(ids: Sequence[int], place: int) -> str:
    return str(ids[place]) if place < len(ids) else "none"
