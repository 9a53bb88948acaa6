"""The words that a model is asked with. They are part of a request's key: a changed word asks anew.

Examples stand as earlier turns of the chat, so that one form serves a large chat model and a model of 135M parameters,
which follows what it is shown rather than what it is told.
"""

from collections.abc import Sequence

from curation.generate.endpoint import Message
from schemas.record import InstructionRecord

PROPOSE = (
    "You write tasks for a language model. Every task is new, fits on one line, and can be done with text alone. "
    "Vary subject, verb, form and length."
)
ANSWER = "Answer in full, but in fewer than 100 words."

KINDS = {
    "brainstorming": "brainstorming tasks",
    "classification": "classification tasks",
    "closed_qa": "questions about a given text",
    "creative_writing": "creative writing tasks",
    "generation": "writing and programming tasks",
    "information_extraction": "tasks to extract facts from a given text",
    "open_qa": "questions of general knowledge",
    "summarization": "tasks to summarize a given text",
}
"""How a category is called in a request; another one is called by its name."""


def ask_instructions(category: str, examples: Sequence[InstructionRecord], count: int) -> tuple[Message, ...]:
    """Ask for `count` instructions, after lists of as many examples."""
    ask = f"Write {count} new {KINDS.get(category, f'{category} tasks'.strip().replace('_', ' '))}."
    turns = [Message("system", PROPOSE)]
    for start in range(0, len(examples), count):
        shown = examples[start : start + count]
        turns += [Message("user", ask), Message("assistant", _numbered(shown))]
    return (*turns, Message("user", ask))


def ask_response(record: InstructionRecord, examples: Sequence[InstructionRecord]) -> tuple[Message, ...]:
    """Ask for the response to an instruction and its context."""
    turns = [Message("system", ANSWER)]
    for shown in examples:
        turns += [Message("user", _task(shown)), Message("assistant", shown.response)]
    return (*turns, Message("user", _task(record)))


def ask_context(record: InstructionRecord, examples: Sequence[InstructionRecord]) -> tuple[Message, ...]:
    """Ask for the text that an instruction is about; where a response stands already, for one that it fits."""
    fits = bool(record.response)
    turns = []
    for shown in examples:
        turns += [Message("user", _wanted(shown, fits=fits)), Message("assistant", shown.context)]
    return (*turns, Message("user", _wanted(record, fits=fits)))


def ask_label(record: InstructionRecord, examples: Sequence[InstructionRecord]) -> tuple[Message, ...]:
    """Ask for a possible answer to a classification task whose text is not written yet."""
    turns = []
    for shown in examples:
        turns += [Message("user", f"{LABEL}\n\n{shown.instruction}"), Message("assistant", shown.response)]
    return (*turns, Message("user", f"{LABEL}\n\n{record.instruction}"))


LABEL = "Give one possible answer to this task."


def _numbered(examples: Sequence[InstructionRecord]) -> str:
    return "\n".join(f"{number}. {shown.instruction}" for number, shown in enumerate(examples, 1))


def _task(record: InstructionRecord) -> str:
    return f"{record.instruction}\n\n{record.context}" if record.context else record.instruction


def _wanted(record: InstructionRecord, *, fits: bool) -> str:
    wanted = f"Write a short text for this task.\n\n{record.instruction}"
    return f"{wanted}\n\nThe answer must be: {record.response}" if fits else wanted
