"""Answers of a model: a tuned checkpoint with the template it was trained on, or any base model with a given one."""

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from jaxtyping import Int
from torch import Tensor
from transformers import GenerationConfig, StoppingCriteria, StoppingCriteriaList

from schemas.errors import InputError
from schemas.outcome import SILENT, Aside
from schemas.prompt import TEMPLATES, PromptTemplate
from training.answers.constraints import Constraint
from training.checkpoint.adapters import find_model
from training.checkpoint.checkpoint import TOP_K, TOP_P
from training.device import choose_device, choose_dtype
from training.model.load import quiet
from training.records.encoding import Encoder, encoder

DEFAULT_TEMPLATE = "dolly-v1"
"""What a base model is asked with unless the user says otherwise."""
AT_ONCE = 16
"""Prompts answered in one batch."""
Ids: TypeAlias = tuple[int, ...]
"""A prompt in tokens."""
_TURN = re.compile(r"^(?:### \w+:|<\|im_start\|>)", re.MULTILINE)
"""What begins a part of a prompt in the templates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How answers are drawn; the defaults are Dolly's."""

    max_new_tokens: int = 256
    """Tokens after which an answer is cut off."""
    greedy: bool = False
    """Take the likeliest token each time instead of drawing."""
    top_p: float = TOP_P
    """Draw from the likeliest tokens that together have this probability."""
    seed: int = 42
    """Of the draws."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """Something to answer."""

    instruction: str
    context: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A prompt of a set, and what to call it."""

    title: str
    category: str
    prompt: Prompt
    id: str = ""
    """Its name in the set."""
    constraints: tuple[Constraint, ...] = ()
    """What a program can verify in an answer."""
    answers: tuple[str, ...] = ()
    """Right answers, any of which will do; none where there is no right one."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said."""

    text: str
    stopped: bool
    """True where the model ended it, false where it ran into the limit."""
    tokens: int
    """Tokens before the end key."""
    turn: bool = False
    """True where the model went on and began another turn, which is cut off here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Responder:
    """A model that can be asked."""

    name: str
    model: Any
    encoder: Encoder
    tuned: bool
    """True for a checkpoint of this tool."""

    @property
    def pad_id(self) -> int:
        """What fills a batch; never looked at."""
        pad = self.encoder.tokenizer.pad_token_id
        return self.encoder.eos_id if pad is None else int(pad)

    @property
    def stops(self) -> tuple[int, ...]:
        """The tokens that end an answer: a tuned model's end key; what an untuned one was made to stop at."""
        if self.tuned:
            return (self.encoder.end_id,)
        own = self.model.generation_config.eos_token_id
        known = own if isinstance(own, list) else [own]
        return tuple(dict.fromkeys(token for token in (self.encoder.end_id, *known) if token is not None))


def open_responder(name: str, template: str = "", aside: Aside = SILENT) -> Responder:
    """Load the model called `name`; a checkpoint brings its template, a base model takes `template`.

    Raises:
        InputError: no such model or template, or a template that is not the checkpoint's own.
    """
    found = find_model(name, aside)
    own = str(found.run.settings["template"]) if found.run else ""
    if own and template not in ("", own):
        raise InputError(place=name, field="template", expected=f"{own}, which it was trained with", found=template)
    chosen = own or template or DEFAULT_TEMPLATE
    if chosen not in TEMPLATES:
        raise InputError(field="template", expected=f"one of {', '.join(TEMPLATES)}", found=chosen)
    device = choose_device()
    model = found.load(choose_dtype("auto", device), device)
    return Responder(name=name, model=model, encoder=encoder(found.tokenizer(), TEMPLATES[chosen]), tuned=bool(own))


def answer(responder: Responder, prompts: Sequence[Prompt], sampling: Sampling, aside: Aside = SILENT) -> list[Answer]:
    """Answer each prompt.

    Raises:
        InputError: a prompt leaves no room for an answer.
    """
    refuse_overlong(responder, prompts)
    torch.manual_seed(sampling.seed)
    ids = [responder.encoder.prompt(one.instruction, one.context) for one in prompts]
    batches = _batches(ids, room_of(responder) - sampling.max_new_tokens)
    return [one for batch in batches for one in _answer_batch(responder, batch, sampling, aside)]


def room_of(responder: Responder) -> int:
    """Return how many tokens a model reads and writes at most."""
    longest = getattr(responder.model.config.get_text_config(), "max_position_embeddings", None)
    return sys.maxsize if longest is None else int(longest)


def _batches(prompts: Iterable[Ids], most: int) -> Iterator[list[Ids]]:
    """Put prompts together, in order; one of more tokens than `most` is alone: it is to shorten no other's answer."""
    batch: list[Ids] = []
    for one in prompts:
        if batch and (len(batch) == AT_ONCE or max(len(one), len(batch[-1])) > most):
            yield batch
            batch = []
        batch.append(one)
    if batch:
        yield batch


def refuse_overlong(responder: Responder, prompts: Sequence[Prompt]) -> None:
    """Refuse prompts that leave no room for an answer.

    Raises:
        InputError: names the first of them.
    """
    longest = room_of(responder)
    for number, one in enumerate(prompts, 1):
        tokens = len(responder.encoder.prompt(one.instruction, one.context))
        if tokens >= longest:
            raise InputError(
                place=f"prompt {number}",
                expected=f"fewer than the {longest} tokens that {responder.name} reads",
                found=f"{tokens}",
            )


def _answer_batch(responder: Responder, prompts: Sequence[Ids], sampling: Sampling, aside: Aside) -> list[Answer]:
    ids, mask = _pad_left(prompts, responder.pad_id)
    with torch.inference_mode(), quiet():
        out = responder.model.generate(
            input_ids=ids.to(responder.model.device),
            attention_mask=mask.to(responder.model.device),
            generation_config=generation(responder, sampling, ids.shape[1]),
            synced_gpus=False,  # of several ranks the one that looks answers alone
            stopping_criteria=StoppingCriteriaList(
                [_Ticker(f"answers of {responder.name}", sampling, ids.shape[1], aside)]
            ),
        )
    return [read_tokens(responder, row) for row in out[:, ids.shape[1] :].tolist()]


class _Ticker(StoppingCriteria):  # type: ignore[misc]  # transformers ships no types
    """Tells the aside of every token; never stops anything."""

    def __init__(self, what: str, sampling: Sampling, prompt: int, aside: Aside) -> None:
        self._what, self._most, self._prompt, self._aside = what, sampling.max_new_tokens, prompt, aside

    def __call__(self, input_ids: Tensor, _scores: Any, **_: Any) -> Tensor:
        self._aside.progress(self._what, input_ids.shape[1] - self._prompt, self._most)
        return torch.zeros(input_ids.shape[0], dtype=torch.bool, device=input_ids.device)


def generation(responder: Responder, sampling: Sampling, prompt: int) -> GenerationConfig:
    """Return how transformers is to draw an answer to a prompt of so many tokens, as long as the model has room for."""
    drawn = {} if sampling.greedy else {"top_p": sampling.top_p, "top_k": TOP_K}
    return GenerationConfig(
        do_sample=not sampling.greedy,
        max_new_tokens=min(sampling.max_new_tokens, room_of(responder) - prompt),
        eos_token_id=list(responder.stops),
        pad_token_id=responder.pad_id,
        **drawn,
    )


def _pad_left(prompts: Sequence[Ids], pad: int) -> tuple[Int[Tensor, "rows length"], Int[Tensor, "rows length"]]:
    length = max(len(one) for one in prompts)
    ids = [(pad,) * (length - len(one)) + one for one in prompts]
    mask = [(0,) * (length - len(one)) + (1,) * len(one) for one in prompts]
    return torch.tensor(ids), torch.tensor(mask)


def read_tokens(responder: Responder, ids: Sequence[int]) -> Answer:
    """Cut generated tokens at the first that ends them; an untuned model may also write the keys as text."""
    end = next((place for place, token in enumerate(ids) if token in responder.stops), len(ids))
    keys = set(responder.encoder.key_ids.values())
    turn = next((place for place, token in enumerate(ids[:end]) if token in keys), end)
    text = responder.encoder.tokenizer.decode(ids[:turn], skip_special_tokens=True)
    if not responder.tuned:
        return _cut(text, responder.encoder.template, stopped=end < len(ids), tokens=end, turn=turn < end)
    return Answer(text.strip(), stopped=end < len(ids), tokens=end, turn=turn < end)


def _cut(text: str, template: PromptTemplate, *, stopped: bool, tokens: int, turn: bool) -> Answer:
    """Stop at the text of the end key, or of what begins another turn, whichever comes first.

    An untuned model does not have the keys as tokens: to take what it wrote before them is fair to it.
    """
    key = template.end_key
    before, said_key, _ = text.partition(key) if key else (text, "", "")
    starts = [before.find(one) for one in turns(template) if one in before]
    if starts:
        return Answer(before[: min(starts)].strip(), stopped=False, tokens=tokens, turn=True)
    return Answer(before.strip(), stopped=stopped or bool(said_key), tokens=tokens, turn=turn and not said_key)


def turns(template: PromptTemplate) -> tuple[str, ...]:
    """Return the texts that begin a part of a prompt: a model that writes one has begun another turn."""
    return tuple(dict.fromkeys(_TURN.findall(template.with_context)))
