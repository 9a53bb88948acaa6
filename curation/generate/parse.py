"""What can be read in an answer at all. What cannot is a rejection: nothing that was paid for vanishes."""

import re

from curation.generate.endpoint import BROKEN, REFUSED, UNANSWERED, Answer
from curation.generate.gates import shortened
from schemas.record import Reason

_HALF = re.compile("[\ud800-\udfff]")
"""Half of a character: JSON can say it, UTF-8 cannot."""
WITHOUT_TEXT = {REFUSED: "request_refused", BROKEN: "answer_broken", UNANSWERED: "request_unanswered"}
"""Finish reason of an answer that the endpoint gave no text for → code."""


def unusable(answer: Answer) -> Reason | None:
    """Return why there is nothing to read in an answer, or nothing."""
    if code := WITHOUT_TEXT.get(answer.finish_reason):
        return Reason(code=code, found=shortened(str(answer.body.get("error", ""))))
    if not answer.text.strip():
        return _empty(answer)
    if half := _HALF.search(answer.text):
        return Reason(code="broken_characters", found=f"U+{ord(half[0]):04X}", limit="readable text", span=half.span())
    return None


def _empty(answer: Answer) -> Reason:
    found = f"finish reason {answer.finish_reason or 'missing'}"
    if not answer.reasoning.strip():
        return Reason(code="answer_empty", found=found)
    thought = f"{found}; it thought: {answer.reasoning}"
    return Reason(code="answer_only_reasoning", found=shortened(thought), limit="an answer after the reasoning")
