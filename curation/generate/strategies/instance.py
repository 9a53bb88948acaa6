"""How a draft becomes a record: its context, if it is about one, and its response, in the order that suits the task.

After Self-Instruct (Wang et al. 2022, https://arxiv.org/abs/2212.10560): input before output; but for classification
the output first, because a model that writes the input first nearly always writes one for the same label. Whether a
task is a classification is what its category says; where the categories of the seeds do not say it, the model is asked,
as in the paper.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from curation.filters.references import refers_to_given_text
from curation.generate import prompts
from curation.generate.draw import draw
from curation.generate.endpoint import TRUNCATED, Answer, Endpoint, Message, Request
from curation.generate.parse import unusable
from curation.generate.strategies.drafts import cut, grown
from curation.generate.strategies.shape import Draft, Drafted, Sampling, Shelf
from schemas.outcome import reject
from schemas.record import CATEGORIES, InstructionRecord, Reason

LABELLED = "classification"
"""The category whose output comes first where the task is about a text."""
TEST_TOKENS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One field to be asked for."""

    field: str
    ask: Callable[[InstructionRecord, Sequence[InstructionRecord]], tuple[Message, ...]]
    with_context: bool = True
    """Whether the examples have contexts."""


PLAIN = (Step(field="response", ask=prompts.ask_response, with_context=False),)
ANSWER = (Step(field="response", ask=prompts.ask_response),)
INPUT_FIRST = (Step(field="context", ask=prompts.ask_context), *ANSWER)
OUTPUT_FIRST = (Step(field="response", ask=prompts.ask_label), Step(field="context", ask=prompts.ask_context))


@dataclass(frozen=True, slots=True)
class Instance:
    """Finishes drafts."""

    sampling: Sampling

    async def finish(self, draft: Draft, shelf: Shelf, endpoint: Endpoint) -> Drafted:
        """Ask for what the draft lacks, one field after another."""
        done: Drafted
        done, steps = await self._steps(draft, shelf, endpoint)
        for step in steps:
            if isinstance(done, Draft):
                done = await self._take(step, done, shelf, endpoint)
        return done

    async def answer(self, draft: Draft, sample: int, shelf: Shelf, endpoint: Endpoint) -> Drafted:
        """Ask for the response of a draft that has one, as another sample."""
        step = (ANSWER if draft.record.context else PLAIN)[0]
        unanswered = replace(draft, record=replace(draft.record, response=""), sample=sample)
        return await self._take(step, unanswered, shelf, endpoint)

    async def _steps(self, draft: Draft, shelf: Shelf, endpoint: Endpoint) -> tuple[Draft, tuple[Step, ...]]:
        """Return what to ask for: a category whose seeds all have a context needs one; else the instruction says so."""
        record = draft.record
        if record.response:
            return draft, ()
        if record.context:
            return draft, ANSWER
        seeds = shelf.seeds.get(record.category, ())
        always = bool(seeds) and all(seed.context for seed in seeds)
        if draft.given or not (always or refers_to_given_text(record.instruction)):
            return draft, PLAIN
        draft, labelled = await self._is_classification(draft, shelf, endpoint)
        return draft, OUTPUT_FIRST if labelled else INPUT_FIRST

    async def _is_classification(self, draft: Draft, shelf: Shelf, endpoint: Endpoint) -> tuple[Draft, bool]:
        """Say whether the task has a few possible answers; a model that is asked leaves its request with the draft."""
        record = draft.record
        if record.category in CATEGORIES or LABELLED in shelf.seeds:
            return draft, record.category == LABELLED
        params = {"temperature": 0, "max_tokens": TEST_TOKENS}
        request = Request(model=self.sampling.model, messages=prompts.ask_whether_labelled(record), params=params)
        answer = await endpoint.ask(request)
        said = answer.text.strip().lower().startswith("yes")
        return replace(draft, requests={**draft.requests, "is_classification": request.key}), said

    async def _take(self, step: Step, draft: Draft, shelf: Shelf, endpoint: Endpoint) -> Drafted:
        """Ask for one field and put the answer there."""
        record = draft.record
        examples = self._examples(shelf, record.category, with_context=step.with_context)
        request = self._request(step, step.ask(record, examples), draft.sample)
        answer = await endpoint.ask(request)
        more = grown(record, request, answer, examples)
        if reason := _unusable(step.field, answer):
            return reject(more, reason)
        filled = replace(more, **{step.field: answer.text.strip()})  # type: ignore[arg-type]  # the field is a text field
        if answer.finish_reason == TRUNCATED:
            return reject(filled, cut(step.field, answer))
        return replace(draft, record=filled, requests={**draft.requests, step.field: request.key})

    def _examples(self, shelf: Shelf, category: str, *, with_context: bool) -> list[InstructionRecord]:
        """Draw finished examples; the same for a whole round, so that a server can keep what it read of them."""
        fitting = [seed for seed in shelf.seeds.get(category, ()) if bool(seed.context) == with_context]
        return draw(fitting, self.sampling.examples, self.sampling.seed, shelf.round, category, str(with_context))

    def _request(self, step: Step, messages: tuple[Message, ...], sample: int) -> Request:
        sampling = self.sampling
        params = {"temperature": sampling.answer_temperature, "max_tokens": sampling.max_tokens}
        if sampling.frequency_penalty:
            params["frequency_penalty"] = sampling.frequency_penalty
        model = (step.field == "response" and sampling.answer_model) or sampling.model
        return Request(model=model, messages=messages, params=params, sample=sample)


def _unusable(field: str, answer: Answer) -> Reason | None:
    """Return why an answer cannot be a field, or nothing."""
    reason = unusable(answer)
    if reason and reason.code == "answer_empty":
        return replace(reason, code=f"{field}_empty", field=field)
    return reason
