"""What a generated record must pass at birth: an instruction before anything is asked about it, then the whole.

Most are checks of the filter stage, which runs over all of them later and over everybody's records; passing them here
saves asking for what would be rejected there, and lets `n` count records that are worth having. The others are about
what only happens while a model writes.
"""

import re
from dataclasses import dataclass
from functools import cache

from curation.filters.catalogue import CHECKS, ChosenCheck, choose
from curation.filters.stage import judge
from curation.generate.support import CAPITALS, unsupported
from curation.text import normal_form, tokens
from schemas.outcome import Outcome, Rejection, reject
from schemas.record import InstructionRecord, Reason

REASONS = {
    "request_refused": "The endpoint would not take the request.",
    "request_unanswered": "The journal holds no answer to the request, and --reparse sends nothing.",
    "answer_empty": "The model's answer holds no text.",
    "answer_only_reasoning": "The model thought and gave no answer; its token limit may be too small.",
    "answer_broken": "The endpoint gave no readable completion, though it was asked several times.",
    "not_an_item": "A part of the model's list is not one of its items.",
    "instruction_truncated": "The model's answer reached its token limit within this instruction.",
    "instruction_repeats": "The instruction goes round in a loop.",
    "instruction_placeholder": "The instruction leaves a blank to be filled in.",
    "instruction_not_novel": "The instruction is too similar to a seed or to an earlier one.",
    "context_empty": "The model wrote no text for a task that is about one.",
    "context_truncated": "The context reached its token limit.",
    "context_too_short": "The context has too few words.",
    "context_repeats": "The context goes round in a loop.",
    "context_echoes": "The context is the instruction again.",
    "context_placeholder": "The context leaves a blank to be filled in.",
    "response_unsupported": "The response brings in a number or a name that its document does not hold.",
    "answers_disagree": "Asked several times, the model gave different answers.",
    "evolution_copies_prompt": "The evolved instruction speaks of the rewriting instead of the task.",
    "evolution_no_gain": "The evolved instruction says hardly anything that its parent does not say.",
    "draft_not_in_cell": "The instruction has not the form or the length that was asked for.",
    "draft_not_approved": "It is a draft of a seed, and nobody has approved of it.",
    "evolution_unanswerable": "The model finds no answer to the evolved instruction.",
}
"""Every code that only generation gives, in plain words; the others are those of `curation.filters.catalogue`."""

FOR_INSTRUCTIONS = (
    "instruction_too_short",
    "instruction_too_long",
    "merged_tasks",
    "template_leak",
    "needs_media",
    "url_not_given",
    "broken_characters",
)
"""Checks that an instruction passes before its response is asked for."""
FOR_RECORDS = (
    "no_input_marker",
    "end_marker",
    "response_empty",
    "response_placeholder",
    "response_echoes",
    "response_is_refusal",
    "provider_identity",
    "response_repeats",
    "response_too_long",
    "response_truncated",
    "merged_tasks",
    "template_leak",
    "needs_media",
    "url_not_given",
    "dangling_reference",
    "broken_characters",
)
"""Checks that a finished record passes; the first two repair it."""

CONTEXT_WORDS = 5
"""Fewest words of a context."""
FOUND_MOST = 100
"""Characters of evidence."""
LOOP_WORDS = 12
"""Words from which on an instruction or a context can be called a loop."""
LOOP_GRAM = 3
LOOP_RATIO = 0.4
"""Share (0 to 1) of three-word runs that are repetitions, over which a text goes round in a loop."""

_BLANK = re.compile(
    r"(?<![\w\]])\[(?:your |insert |the )?[a-z][a-z ]{1,30}\](?!\()|<(?:no ?input|insert [^>]*|your [^>]*)>|_{3,}",
    re.IGNORECASE,
)
_SEEN = re.compile(
    r"\b(?:this|these|the (?:following|given|attached|above|below)) (?:\w+ )?"
    r"(?:image|picture|photo|photograph|video|audio|recording|screenshot|diagram|chart|graph|clip)s?\b",
    re.IGNORECASE,
)
"""Something to be looked at or listened to. A text about it could be asked for, but would be no such thing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gates:
    """The gates of a run."""

    language: str = ""
    """The one language that records may be in, as an ISO 639-1 code; empty: any."""

    def instruction(self, record: InstructionRecord) -> Outcome:
        """Return the record if its instruction is worth a response, else its rejection."""
        own = _blank(record, "instruction") or _seen(record) or _loop(record, "instruction")
        return reject(record, own) if own else judge(record, _chosen(FOR_INSTRUCTIONS))

    def record(self, record: InstructionRecord, *, grounded: bool = False) -> Outcome:
        """Return a finished record if it is whole, else its rejection; `grounded`: its context is a document's."""
        outcome = judge(record, (*_chosen(FOR_RECORDS), *_in_language(self.language)))
        if isinstance(outcome, Rejection):
            return outcome
        own = self._unsupported(outcome) if grounded else _context(outcome)
        return reject(record, own) if own else outcome

    def _unsupported(self, record: InstructionRecord) -> Reason | None:
        missing = unsupported(record, names=self.language not in CAPITALS)
        if not missing:
            return None
        found = shortened(", ".join(missing))
        return Reason(code="response_unsupported", field="response", found=found, limit="what the context holds")


def loop_ratio(text: str) -> float:
    """Return the share (0 to 1) of a text's three-word runs that are repetitions; 0 for a short text."""
    words = tokens(text)
    if len(words) < LOOP_WORDS:
        return 0.0
    runs = [tuple(words[at : at + LOOP_GRAM]) for at in range(len(words) - LOOP_GRAM + 1)]
    return 1 - len(set(runs)) / len(runs)


def shortened(text: str) -> str:
    """Return evidence on one line."""
    line = " ".join(text.split())
    return line if len(line) <= FOUND_MOST else line[: FOUND_MOST - 1] + "…"


@cache
def _chosen(codes: tuple[str, ...]) -> tuple[ChosenCheck, ...]:
    """Return checks that repair what they can repair and reject the rest."""
    actions = {code: "repair" if CHECKS[code].action == "repair" else "reject" for code in codes}
    return tuple(choose(code, {"action": action}) for code, action in actions.items())


@cache
def _in_language(language: str) -> tuple[ChosenCheck, ...]:
    return (choose("wrong_language", {"allowed": (language,), "action": "reject"}),) if language else ()


def _context(record: InstructionRecord) -> Reason | None:
    """Return what is wrong with a context that a model wrote, or nothing."""
    if not record.context:
        return None
    return _short_context(record) or _echoing_context(record) or _blank(record, "context") or _loop(record, "context")


def _blank(record: InstructionRecord, field: str) -> Reason | None:
    match = _BLANK.search(str(getattr(record, field)))
    if match is None:
        return None
    return Reason(code=f"{field}_placeholder", field=field, found=shortened(match[0]), span=match.span())


def _seen(record: InstructionRecord) -> Reason | None:
    match = _SEEN.search(record.instruction)
    if match is None:
        return None
    found = shortened(match[0])
    return Reason(code="needs_media", field="instruction", found=found, limit="a task of text", span=match.span())


def _loop(record: InstructionRecord, field: str) -> Reason | None:
    text = str(getattr(record, field))
    ratio = loop_ratio(text)
    if ratio <= LOOP_RATIO:
        return None
    limit = f"{LOOP_RATIO:g} of its three-word runs repeated"
    scores = {"ratio": round(ratio, 3)}
    return Reason(code=f"{field}_repeats", field=field, found=shortened(text), limit=limit, scores=scores)


def _short_context(record: InstructionRecord) -> Reason | None:
    words = len(tokens(record.context))
    if words >= CONTEXT_WORDS:
        return None
    return Reason(code="context_too_short", field="context", found=f"{words} words", limit=f"{CONTEXT_WORDS} or more")


def _echoing_context(record: InstructionRecord) -> Reason | None:
    if normal_form(record.context) != normal_form(record.instruction):
        return None
    return Reason(code="context_echoes", field="context", found=shortened(record.context), limit="not the instruction")
