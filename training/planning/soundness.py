"""Is this base a causal language model, and the tokenizer beside it its own? Asked before a run spends time on it.

From the configuration what it can say; from the loaded model the rest, because libraries load an encoder as if it were
a decoder, and fill what a file lacks with random numbers.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM

from schemas.errors import InputError
from training.model.load import Base, config_of
from training.model.loss import response_loss
from training.records.batching import micro_batches
from training.records.encoding import Example

PROBE_TOKENS = 8
WORSE_THAN_CHANCE = 1.25
"""Loss, as a multiple of that of guessing, above which a model cannot know these tokens; a random one has about 1."""
ASKED = 8
"""Records on which that is tried, the shortest."""


def check_place(out: Path, *inputs: Path) -> None:
    """Refuse to write into what is read.

    Raises:
        InputError: `out` is within an input.
    """
    for one in inputs:
        if out.resolve().is_relative_to(one.resolve()) and out.resolve() != one.resolve():
            raise InputError(place=out, expected="a directory outside of what is read", found=f"one inside {one}")


def check_base(base: Base, tokenizer: Any) -> None:
    """Refuse a base whose configuration or tokenizer says that it cannot be trained here.

    Raises:
        InputError: it is not a causal language model, or its tokenizer has tokens that the model has not.
    """
    config = config_of(base)
    if type(config) not in AutoModelForCausalLM._model_mapping:  # noqa: SLF001  # there is no public name
        expected, found = "a causal language model", f"{config.model_type}, which is none"
        raise InputError(place=f"model {base.place.name!r}", expected=expected, found=found)
    rows, known = int(config.get_text_config().vocab_size), int(tokenizer.vocab_size)
    if known > rows:
        expected = f"the tokenizer of a model with {rows:,} tokens"
        found = f"one with {known:,}; it belongs to another model"
        raise InputError(place=f"model {base.place.name!r}", field="tokenizer", expected=expected, found=found)


def check_model(model: Any, name: str, examples: Sequence[Example]) -> None:
    """Refuse a loaded model that sees ahead, or to which these tokens are less likely than chance.

    Raises:
        InputError: it does.
    """
    was_training = model.training
    model.eval()
    with torch.inference_mode():
        ahead, share = _sees_ahead(model), _loss_by_chance(model, examples)
    model.train(was_training)
    if ahead:
        found = f"{model.config.model_type}, in which a token sees those after it"
        raise InputError(place=f"model {name!r}", expected="a causal language model", found=found)
    if share > WORSE_THAN_CHANCE:
        found = f"{share:.2f} times that; its tokenizer may be another model's, or its weights damaged"
        raise InputError(place=f"model {name!r}", field="loss", expected="at most that of guessing", found=found)


def _sees_ahead(model: Any) -> bool:
    """Change the last token: the logits before it must stay, rounding apart."""
    ids = torch.arange(PROBE_TOKENS, device=model.device)[None]
    other = ids.clone()
    other[0, -1] = PROBE_TOKENS
    one, two = (model(input_ids=each, use_cache=False).logits[:, :-1].float() for each in (ids, other))
    return not torch.allclose(one, two, rtol=1e-4, atol=1e-4 * float(one.std()))


def _loss_by_chance(model: Any, examples: Sequence[Example]) -> float:
    """Return the mean loss of the shortest records by that of guessing among all tokens."""
    few = sorted(examples, key=lambda one: len(one.input_ids))[:ASKED]
    batches = list(micro_batches(few, tokens=512, pad_id=0))
    total = sum(float(response_loss(model, one.to(model.device), head_only=False)) for one in batches)
    tokens = sum(one.supervised for one in batches)
    return total / tokens / math.log(model.get_input_embeddings().weight.shape[0])
