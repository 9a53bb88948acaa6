"""The words that a model is asked with. They are part of a request's key: a changed word asks anew.

Examples stand as earlier turns of the chat, so that one form serves a large chat model and a model of 135M parameters,
which follows what it is shown rather than what it is told.
"""

from collections.abc import Callable, Sequence

from curation.generate.contract import Wanted
from curation.generate.endpoint import Message
from schemas.record import InstructionRecord

PROPOSE = (
    "You write tasks for a language model. Every task is new, fits on one line, and can be done with text alone. "
    "Vary subject, verb, form and length."
)
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
STYLES = {
    "brainstorming": "Answer with a list of a few short ideas.",
    "classification": "Answer in a few words.",
    "closed_qa": "Answer from the text, in one or two sentences.",
    "creative_writing": "Write no more than eight lines.",
    "generation": "Give only what is asked for, and keep it short.",
    "information_extraction": "Answer from the text, with nothing but what is asked for.",
    "summarization": "Answer in at most two sentences.",
}
"""How a response is to be; a small model knows no end by itself."""
STYLE = "Answer in at most three short sentences."
TEXT = "Write a short text of three or four sentences, with names and numbers, for this task"
NOT_THE_ANSWER = "Write only the text, not the answer."
GUESS = "Give one possible answer, in a few words, to this task"


def ask_instructions(category: str, examples: Sequence[InstructionRecord], wanted: Wanted) -> tuple[Message, ...]:
    """Ask for instructions in the form that is wanted, after lists of as many examples."""
    kind = KINDS.get(category) or f"{category.replace('_', ' ')} tasks".strip()
    turns, count = [Message("system", f"{PROPOSE} {wanted.words}".strip())], wanted.count
    for start in range(0, len(examples), count):
        shown = examples[start : start + count]
        turns += [Message("user", f"Write {len(shown)} new {kind}."), Message("assistant", _written(shown, wanted))]
    return (*turns, Message("user", f"Write {count} new {kind}."))


def ask_response(record: InstructionRecord, examples: Sequence[InstructionRecord]) -> tuple[Message, ...]:
    """Ask for the response to an instruction and its context."""
    return _after(examples, record, _task, "response")


def ask_context(record: InstructionRecord, examples: Sequence[InstructionRecord]) -> tuple[Message, ...]:
    """Ask for the text that an instruction is about; where a response stands already, for one that it fits."""
    return _after(examples, record, _fitting if record.response else _wanted, "context")


def ask_label(record: InstructionRecord, examples: Sequence[InstructionRecord]) -> tuple[Message, ...]:
    """Ask for a possible answer to a classification task whose text is not written yet."""
    return _after(examples, record, _guess, "response")


def _after(
    examples: Sequence[InstructionRecord],
    record: InstructionRecord,
    ask: Callable[[InstructionRecord], str],
    field: str,
) -> tuple[Message, ...]:
    """Ask something of a record, after the same was asked of examples and answered by a field of theirs."""
    turns: list[Message] = []
    for shown in examples:
        turns += [Message("user", ask(shown)), Message("assistant", getattr(shown, field))]
    return (*turns, Message("user", ask(record)))


def _task(record: InstructionRecord) -> str:
    parts = (STYLES.get(record.category, STYLE), record.instruction, record.context)
    return "\n\n".join(part for part in parts if part)


def _wanted(record: InstructionRecord) -> str:
    return f"{TEXT}: {record.instruction}\n{NOT_THE_ANSWER}"


def _fitting(record: InstructionRecord) -> str:
    return f"{TEXT}: {record.instruction}\nThe right answer must be: {record.response}\n{NOT_THE_ANSWER}"


def _guess(record: InstructionRecord) -> str:
    return f"{GUESS}: {record.instruction}"


def _written(examples: Sequence[InstructionRecord], wanted: Wanted) -> str:
    return wanted.shown([{field: getattr(shown, field) for field in wanted.fields} for shown in examples])
