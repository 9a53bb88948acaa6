"""Answers become drafts. What cannot be read is a rejection: nothing that was paid for vanishes."""

import re
from dataclasses import replace

from curation.generate.endpoint import REFUSED, Answer
from curation.generate.gates import shortened
from schemas.outcome import Rejection
from schemas.record import InstructionRecord, Provenance, Reason

TRUNCATED = "length"
"""Finish reason of an answer that reached its token limit."""

_HALF = re.compile("[\ud800-\udfff]")
"""Half of a character: JSON can say it, UTF-8 cannot."""
_ITEM = re.compile(r"\s*(?:\d+\s*[.):]|[-*•])\s*(?P<text>.*\S)?\s*")


def list_items(answer: Answer, model: InstructionRecord) -> list[InstructionRecord | Rejection]:
    """Return the instructions of a list, one a line, each a copy of `model` with it; other lines are rejections.

    An item counts only if it was finished: the last one of an answer that reached its limit does not.
    """
    if reason := unusable(answer):
        return [rejected_answer(answer, model.provenance, reason)]
    lines = [line for line in answer.text.splitlines() if line.strip()]
    items = [_item(line, model) for line in lines]
    if answer.finish_reason == TRUNCATED:
        cut = Reason(code="instruction_truncated", field="instruction", found=shortened(lines[-1]))
        items[-1] = Rejection(row={"raw": lines[-1]}, reasons=(cut,), provenance=model.provenance)
    return items


def unusable(answer: Answer) -> Reason | None:
    """Return why there is nothing to read in an answer, or nothing."""
    if answer.finish_reason == REFUSED:
        return Reason(code="request_refused", found=shortened(str(answer.body.get("error", ""))))
    if not answer.text.strip():
        return Reason(code="answer_empty", found=f"finish reason {answer.finish_reason or 'missing'}")
    if half := _HALF.search(answer.text):
        return Reason(code="broken_characters", found=f"U+{ord(half[0]):04X}", limit="readable text", span=half.span())
    return None


def rejected_answer(answer: Answer, provenance: Provenance, reason: Reason) -> Rejection:
    """Return the rejection of a whole answer."""
    return Rejection(row={"raw": answer.text}, reasons=(reason,), provenance=provenance)


def _item(line: str, model: InstructionRecord) -> InstructionRecord | Rejection:
    match = _ITEM.fullmatch(line)
    if match is None:
        reason = Reason(code="not_an_item", found=shortened(line), limit="a numbered line")
        return Rejection(row={"raw": line}, reasons=(reason,), provenance=model.provenance)
    return replace(model, instruction=match["text"] or "")
