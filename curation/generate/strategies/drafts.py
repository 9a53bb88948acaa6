"""What strategies have in common: where a record says it came from, and drafts out of an answer."""

from collections.abc import Sequence
from dataclasses import replace

from curation.generate.contract import records_of
from curation.generate.endpoint import TRUNCATED, Answer, Message, Request
from curation.generate.gates import shortened
from curation.generate.parse import unusable
from curation.generate.strategies.shape import Draft, Drafted, Proposal, Sampling, Seeds
from curation.terms.table import TermsClass, strictest, terms_of
from schemas.outcome import Rejection, reject
from schemas.record import InstructionRecord, Provenance, Reason

TOKENS_PER_INSTRUCTION = 45


def blank(strategy: str, category: str = "", examples: Sequence[InstructionRecord] = ()) -> InstructionRecord:
    """Return what a record begins as."""
    provenance = Provenance(source="generate", strategy=strategy, seeds=tuple(shown.id for shown in examples))
    return InstructionRecord(instruction="", response="", category=category, provenance=provenance)


def every_category(seeds: Seeds) -> Sequence[str]:
    """Return the categories of the seeds."""
    return list(seeds)


def instructions_request(sampling: Sampling, messages: tuple[Message, ...], count: int) -> Request:
    """Return the request for so many instructions."""
    params = {"temperature": sampling.temperature, "max_tokens": TOKENS_PER_INSTRUCTION * count}
    return Request(model=sampling.model, messages=messages, params=params)


def drafts_of(proposal: Proposal, answer: Answer) -> list[Drafted]:
    """Return a draft for each item of an answer; the rest of it is rejections."""
    assert proposal.wanted is not None, "asked for items"
    assert proposal.request is not None, "answered"
    begun, key = _begun(proposal, answer), proposal.request.key
    requests = dict.fromkeys(proposal.wanted.fields, key)
    items = records_of(proposal.wanted.items(answer), begun)
    return [one if isinstance(one, Rejection) else Draft(record=one, requests=requests) for one in items]


def draft_of(proposal: Proposal, answer: Answer) -> Drafted:
    """Return the draft whose instruction is the whole answer."""
    assert proposal.request is not None, "answered"
    begun = _begun(proposal, answer)
    if reason := unusable(answer):
        return Rejection(row={"raw": answer.text}, reasons=(reason,), provenance=begun.provenance)
    record = replace(begun, instruction=answer.text.strip())
    if answer.finish_reason == TRUNCATED:
        return reject(record, cut("instruction", answer))
    return Draft(record=record, requests={"instruction": proposal.request.key})


def grown(
    record: InstructionRecord, request: Request, answer: Answer, examples: Sequence[InstructionRecord] = ()
) -> InstructionRecord:
    """Add to a record's provenance the request that it grows by, what that request showed, and who answered."""
    before = record.provenance
    model = answer.model or request.model
    seeds = tuple(dict.fromkeys((*before.seeds, *(shown.id for shown in examples))))
    terms = together(before.terms, terms_of(model).kind)
    return replace(record, provenance=replace(before, request=request.key, seeds=seeds, model=model, terms=terms))


def together(before: str, now: TermsClass) -> str:
    """Return the class of terms that binds what two models wrote."""
    return strictest([now, *((before,) if before else ())])


def cut(field: str, answer: Answer) -> Reason:
    """Return the reason against an answer that ends where its tokens did."""
    found = f"cut after {answer.completion_tokens or 'all its'} tokens: … {shortened(answer.text[-60:])}"
    return Reason(code=f"{field}_truncated", field=field, found=found, limit="an end")


def _begun(proposal: Proposal, answer: Answer) -> InstructionRecord:
    assert proposal.request is not None, "answered"
    return grown(proposal.blank, proposal.request, answer)
