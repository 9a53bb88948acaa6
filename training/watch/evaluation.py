"""Looks at a model between two steps: its loss on held-out records by category, and its answers to fixed prompts.

A look leaves no trace: weights, mode and random generators are afterwards what they were, so a run ends in the same
bytes however often it was looked at. What a look costs is measured, and the next one comes when it is paid for.
"""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

import torch

from schemas.outcome import SILENT, Aside
from schemas.record import InstructionRecord
from training.answers.questions import SETS, read_questions
from training.answers.respond import Answer, Question, Responder, Sampling, answer
from training.log import CategoryLoss, Evaluation, Sample
from training.records.encoding import Encoder, Example
from training.records.losses import record_losses

FEWEST = 8
"""Held-out records below which a category is measured together with the other small ones."""
OTHER, NONE = "other", "no category"
FIXED = ("categories", "announcement")
"""The prompt sets that are answered: one prompt for each of InstructGPT's kinds, and those of Dolly's announcement."""


def by_category(examples: Sequence[Example], records: Sequence[InstructionRecord]) -> dict[str, list[Example]]:
    """Return the examples by their record's category, the largest first; small ones together as `other`."""
    known = {record.id: record.category for record in records}
    groups: dict[str, list[Example]] = defaultdict(list)
    for one in examples:
        groups[known.get(one.id, "") or NONE].append(one)
    small = [name for name, group in groups.items() if len(group) < FEWEST]
    if len(small) > 1:
        groups[OTHER] = [one for name in small for one in groups.pop(name)]
    return dict(sorted(groups.items(), key=lambda pair: (-len(pair[1]), pair[0])))


def fixed_questions() -> tuple[Question, ...]:
    """Return the prompts that every run answers."""
    return tuple(question for name in FIXED for question in read_questions(SETS / f"{name}.jsonl"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Examiner:
    """Asks and measures one model."""

    responder: Responder
    groups: Mapping[str, Sequence[Example]]
    """Held-out examples by category."""
    questions: Sequence[Question]
    sampling: Sampling
    tokens: int
    """Padded tokens of a micro-batch."""

    def __call__(self, step: int, aside: Aside = SILENT) -> tuple[Evaluation, list[Sample]]:
        """Look at the model after `step` steps; before the first it is asked as an untuned one."""
        started = time.monotonic()
        asked = self.responder if step else _as_it_came(self.responder)
        with undisturbed(self.responder.model):
            losses = tuple(self._losses(aside))
            prompts = [one.prompt for one in self.questions]
            answers = answer(asked, prompts, self.sampling, aside) if prompts else []
        tokens = sum(one.tokens for one in losses)
        seen = Evaluation(
            step=step,
            seconds=round(time.monotonic() - started, 3),
            loss=sum(one.loss * one.tokens for one in losses) / tokens if tokens else None,
            tokens=tokens,
            categories=losses,
            stop_rate=fmean(one.stopped for one in answers) if answers else None,
            answers=len(answers),
        )
        return seen, [_sample(step, *pair) for pair in zip(self.questions, answers, strict=True)]

    def _losses(self, aside: Aside) -> Iterator[CategoryLoss]:
        done, total = 0, sum(map(len, self.groups.values()))
        for name, group in self.groups.items():
            part = _Part(aside, done, len(group), total)
            nats = sum(record_losses(self.responder.model, group, tokens=self.tokens, aside=part))
            done += len(group)
            tokens = sum(one.supervised for one in group)
            yield CategoryLoss(category=name, records=len(group), tokens=tokens, loss=nats / tokens)


def examiner(
    model: Any, encode: Encoder, groups: Mapping[str, Sequence[Example]], *, tokens: int, sample_tokens: int
) -> Examiner:
    """Return the examiner of a model; prompts that leave no room for an answer are not asked."""
    longest = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    room = longest - sample_tokens if longest else None
    questions = fixed_questions() if sample_tokens else ()
    return Examiner(
        responder=Responder(name="the model", model=model, encoder=encode, tuned=True),
        groups=groups,
        questions=tuple(one for one in questions if room is None or _length(encode, one) <= room),
        sampling=Sampling(max_new_tokens=max(1, sample_tokens), greedy=True),
        tokens=tokens,
    )


@contextmanager
def undisturbed(model: Any) -> Iterator[None]:
    """Put the model to use, then its mode and the random generators back as they were."""
    was_training = model.training
    model.eval()
    try:
        with torch.random.fork_rng():
            yield
    finally:
        model.train(was_training)


def is_due(share: float, cost_s: float, trained_s: float, left_s: float) -> bool:
    """Say whether a look at this cost is paid for by the training since the last one, and the next by what is left.

    The one after training has to be paid for as well, so none is taken shortly before the end.
    """
    if not share:
        return False
    spacing_s = cost_s * (1 - share) / share
    return min(trained_s, left_s) >= spacing_s


@dataclass(frozen=True, slots=True)
class _Part:
    """Tells how far one category's measurement is, in records of all."""

    aside: Aside
    before: int
    records: int
    total: int

    def leave(self, name: str, row: Mapping[str, Any]) -> None:
        self.aside.leave(name, row)

    def progress(self, what: str, done: int, total: int | None = None, note: str = "") -> None:
        self.aside.progress(what, self.before + self.records * done // (total or 1), self.total, note)


def _as_it_came(responder: Responder) -> Responder:
    """Return an untuned model's responder: it reads the keys as text, because it never learned what they are."""
    return replace(responder, name="the base", encoder=replace(responder.encoder, key_ids={}), tuned=False)


def _length(encode: Encoder, question: Question) -> int:
    plain = replace(encode, key_ids={})  # the base reads the prompt so, which is longer
    return len(plain.prompt(question.prompt.instruction, question.prompt.context))


def _sample(step: int, question: Question, said: Answer) -> Sample:
    return Sample(
        step=step,
        title=question.title,
        category=question.category,
        instruction=question.prompt.instruction,
        context=question.prompt.context,
        text=said.text,
        stopped=said.stopped,
        tokens=said.tokens,
    )
