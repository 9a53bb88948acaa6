"""Several models on the same prompts, one after the other, and the numbers that show what tuning changed."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from schemas.manifest import digest_file
from schemas.outcome import SILENT, Aside
from schemas.record import InstructionRecord
from schemas.step import version
from training.batching import suitable_tokens
from training.checkpoint import is_checkpoint
from training.encoding import IGNORED, Encoder, Example, text_ids
from training.loop import mean_loss
from training.model import find_base
from training.questions import read_held_out, read_questions
from training.respond import Answer, Question, Responder, Sampling, answer, open_responder

NGRAM = 4
"""Words in a row that count as repetition when they come again in the same answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseLoss:
    """Mean loss over the response text alone: without the end key, tuned and untuned models are comparable."""

    nats_per_token: float
    nats_per_byte: float
    """Comparable between models with different tokenizers too."""
    records: int
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelResult:
    """What one model did."""

    name: str
    tuned: bool
    template: str
    answers: tuple[Answer, ...]
    stop_rate: float
    """Share of the answers that the model ended itself within the limit."""
    mean_words: float
    repetition: float
    """Share of the answers' runs of four words that stood in the same answer before."""
    held_out: ResponseLoss | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Everything the page shows."""

    questions: tuple[Question, ...]
    results: tuple[ModelResult, ...]
    sampling: Sampling
    prompts_sha256: str
    held_out: str
    """What the held-out file is called; empty without one."""
    version: str


def compare(
    names: Sequence[str],
    prompts: Path,
    *,
    sampling: Sampling,
    held_out: Path | None = None,
    template: str = "",
    aside: Aside = SILENT,
) -> Comparison:
    """Ask every model every prompt, one model in memory at a time; `template` is for those that bring none.

    Raises:
        InputError: an unusable model, prompt or held-out record; all are looked for before any model is loaded.
    """
    for name in names:
        find_base(name, aside)
    questions = read_questions(prompts)
    records = read_held_out(held_out) if held_out else ()
    results = []
    for name in names:
        responder = open_responder(name, "" if is_checkpoint(Path(name)) else template, aside)
        results.append(_ask(responder, questions, records, sampling, aside))
        del responder  # before the next one is loaded
    return Comparison(
        questions=questions,
        results=tuple(results),
        sampling=sampling,
        prompts_sha256=digest_file(prompts).sha256,
        held_out=held_out.name if held_out else "",
        version=version(),
    )


def repetition(texts: Sequence[str], size: int = NGRAM) -> float:
    """Return the share of runs of `size` words that stood in the same text before; 0 where no text is that long."""
    total = repeated = 0
    for text in texts:
        words = text.split()
        runs = Counter(tuple(words[place : place + size]) for place in range(len(words) - size + 1))
        total += runs.total()
        repeated += runs.total() - len(runs)
    return repeated / total if total else 0.0


def response_only(encode: Encoder, records: Sequence[InstructionRecord]) -> list[Example]:
    """Return examples whose supervised tokens are those of the response text alone."""
    prompts = [encode.prompt(record.instruction, record.context) for record in records]
    responses = text_ids(encode.tokenizer, [record.response for record in records])
    return [
        Example(record.id, (*prompt, *response), (IGNORED,) * len(prompt) + tuple(response))
        for record, prompt, response in zip(records, prompts, responses, strict=True)
    ]


def _ask(
    responder: Responder,
    questions: Sequence[Question],
    records: Sequence[InstructionRecord],
    sampling: Sampling,
    aside: Aside,
) -> ModelResult:
    answers = answer(responder, [one.prompt for one in questions], sampling, aside)
    return ModelResult(
        name=responder.name,
        tuned=responder.tuned,
        template=responder.encoder.template.name,
        answers=tuple(answers),
        stop_rate=fmean(one.stopped for one in answers),
        mean_words=fmean(len(one.text.split()) for one in answers),
        repetition=repetition([one.text for one in answers]),
        held_out=_loss(responder, records, aside) if records else None,
    )


def _loss(responder: Responder, records: Sequence[InstructionRecord], aside: Aside) -> ResponseLoss:
    examples = response_only(responder.encoder, records)
    tokens = sum(one.supervised for one in examples)
    size = sum(len(record.response.encode()) for record in records)
    pad = responder.pad_id
    mean = mean_loss(responder.model, examples, pad_id=pad, tokens=suitable_tokens(responder.model.device), aside=aside)
    return ResponseLoss(nats_per_token=mean, nats_per_byte=mean * tokens / size, records=len(records), tokens=tokens)
