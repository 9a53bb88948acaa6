"""Self-Instruct: instructions that resemble others, then an instance of each.

After Wang et al. 2022 (https://arxiv.org/abs/2212.10560): six instructions of people and up to two of the model's own
in each request; input before output, but for classification the output first, because a model that writes the input
first nearly always writes one for the same label. Different here: examples of one category at a time, asked for in
turn, so that the kinds of task stay balanced; chat turns instead of raw completions; no stop strings in answers.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from curation.filters.references import refers_to_given_text
from curation.generate import prompts
from curation.generate.contract import Wanted, mark_of, records_of
from curation.generate.draw import draw
from curation.generate.endpoint import TRUNCATED, Answer, Endpoint, Message, Request
from curation.generate.gates import shortened
from curation.generate.parse import unusable
from curation.generate.strategies.shape import Draft, Drafted, Proposal, Sampling, Shelf
from schemas.outcome import Rejection, reject
from schemas.record import InstructionRecord, Provenance, Reason

HUMAN, MADE = 6, 2
"""Instructions shown in a request: of people, and (up to) of the model's own."""
TOKENS_PER_INSTRUCTION = 45


@dataclass(frozen=True, slots=True)
class SelfInstruct:
    """The strategy `self-instruct`."""

    sampling: Sampling

    def propose(self, shelf: Shelf) -> Iterator[Proposal]:
        """Yield requests for instructions, the categories in turn."""
        categories = list(shelf.seeds)
        for ordinal in range(self.sampling.round_size):
            category = categories[(shelf.round * self.sampling.round_size + ordinal) % len(categories)]
            examples = self._shown(shelf, category, ordinal)
            wanted = self._wanted(shelf, ordinal)
            messages = prompts.ask_instructions(category, examples, wanted)
            limit = TOKENS_PER_INSTRUCTION * wanted.count
            request = self._request(messages, self.sampling.temperature, limit)
            request = replace(request, constraint=wanted.constraint)
            yield Proposal(request=request, category=category, examples=tuple(examples), wanted=wanted)

    def read(self, proposal: Proposal, answer: Answer) -> list[Drafted]:
        """Return a draft for each item of the list."""
        provenance = Provenance(
            source="generate",
            model=answer.model or self.sampling.model,
            request=proposal.request.key,
            seeds=tuple(shown.id for shown in proposal.examples),
        )
        assert proposal.wanted is not None, "it was proposed here"
        blank = InstructionRecord(instruction="", response="", category=proposal.category, provenance=provenance)
        requests = {"instruction": proposal.request.key}
        return [
            item if isinstance(item, Rejection) else Draft(record=item, requests=requests)
            for item in records_of(proposal.wanted.items(answer), blank)
        ]

    async def finish(self, draft: Draft, shelf: Shelf, endpoint: Endpoint) -> Drafted:
        """Ask for the context, if the task is about one, and the response, in the order that suits the category."""
        done: Drafted = draft
        for step in _steps(draft.record, shelf):
            if isinstance(done, Draft):
                done = await self._take(step, done, shelf, endpoint)
        return done

    async def _take(self, step: "Step", draft: Draft, shelf: Shelf, endpoint: Endpoint) -> Drafted:
        """Ask for one field and put the answer there."""
        record = draft.record
        examples = self._instances(shelf, record.category, with_context=step.with_context)
        sampling = self.sampling
        against_loops = {"frequency_penalty": sampling.frequency_penalty} if sampling.frequency_penalty else {}
        messages = step.ask(record, examples)
        request = self._request(messages, sampling.answer_temperature, sampling.max_tokens, **against_loops)
        answer = await endpoint.ask(request)
        grown = _grown(record, request, answer, examples)
        if reason := _unusable(step.field, answer):
            return reject(grown, reason)
        filled = replace(grown, **{step.field: answer.text.strip()})  # type: ignore[arg-type]  # the field is a text field
        if answer.finish_reason == TRUNCATED:
            return reject(filled, _cut(step.field, answer))
        return Draft(record=filled, requests={**draft.requests, step.field: request.key})

    def _wanted(self, shelf: Shelf, ordinal: int) -> Wanted:
        mark = mark_of(self.sampling.seed, shelf.round, ordinal)
        return Wanted(form=self.sampling.form, count=self.sampling.per_request, mark=mark)

    def _shown(self, shelf: Shelf, category: str, ordinal: int) -> list[InstructionRecord]:
        """Draw the instructions that a request shows, in random order."""
        place = (self.sampling.seed, shelf.round, ordinal)
        shown = [
            *draw(shelf.seeds[category], HUMAN, *place, "human"),
            *draw(shelf.made.get(category, ()), MADE, *place, "made"),
        ]
        return draw(shown, len(shown), *place, "order")

    def _instances(self, shelf: Shelf, category: str, *, with_context: bool) -> list[InstructionRecord]:
        """Draw finished examples; the same for a whole round, so that a server can keep what it read of them."""
        fitting = [seed for seed in shelf.seeds[category] if bool(seed.context) == with_context]
        return draw(fitting, self.sampling.examples, self.sampling.seed, shelf.round, category, str(with_context))

    def _request(self, messages: tuple[Message, ...], temperature: float, max_tokens: int, **more: float) -> Request:
        params = {"temperature": temperature, "max_tokens": max_tokens, **more}
        return Request(model=self.sampling.model, messages=messages, params=params)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One field of a draft that is asked for."""

    field: str
    ask: Callable[[InstructionRecord, Sequence[InstructionRecord]], tuple[Message, ...]]
    with_context: bool = True
    """Whether the examples have contexts."""


PLAIN = (Step(field="response", ask=prompts.ask_response, with_context=False),)
INPUT_FIRST = (Step(field="context", ask=prompts.ask_context), Step(field="response", ask=prompts.ask_response))
OUTPUT_FIRST = (Step(field="response", ask=prompts.ask_label), Step(field="context", ask=prompts.ask_context))
LABELLED = ("classification",)
"""Categories whose output comes first where the task is about a text."""


def _steps(record: InstructionRecord, shelf: Shelf) -> tuple[Step, ...]:
    """Return what to ask for: a category whose seeds all have a context needs one; else the instruction says so."""
    always = all(seed.context for seed in shelf.seeds[record.category])
    if not always and not refers_to_given_text(record.instruction):
        return PLAIN
    return OUTPUT_FIRST if record.category in LABELLED else INPUT_FIRST


def _grown(
    record: InstructionRecord, request: Request, answer: Answer, examples: Sequence[InstructionRecord]
) -> InstructionRecord:
    """Add to a record's provenance the request that it grows by, and what that request showed."""
    before = record.provenance
    seeds = tuple(dict.fromkeys((*before.seeds, *(shown.id for shown in examples))))
    model = answer.model or before.model
    return replace(record, provenance=replace(before, request=request.key, seeds=seeds, model=model))


def _unusable(field: str, answer: Answer) -> Reason | None:
    """Return why an answer cannot be a field, or nothing."""
    reason = unusable(answer)
    if reason and reason.code == "answer_empty":
        return replace(reason, code=f"{field}_empty", field=field)
    return reason


def _cut(field: str, answer: Answer) -> Reason:
    """Return the reason against an answer that ends where its tokens did."""
    found = f"cut after {answer.completion_tokens or 'all its'} tokens: … {shortened(answer.text[-60:])}"
    return Reason(code=f"{field}_truncated", field=field, found=found, limit="an end")
