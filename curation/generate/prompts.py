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
PROPOSE_ITEMS = (
    "You write tasks for a language model, and do them. Every task is new and can be done with text alone. The context "
    "is the text that a task is about, written out in full; most tasks need none. Vary subject, verb, form and length."
)
PROPOSE_ABOUT = (
    "You write tasks about a text. The text alone holds what is needed to do them. Every task fits on one line and "
    "names what it is about. Do not write the answers."
)
ABOUT = {
    "closed_qa": ("question that the text answers", "questions that the text answers"),
    "information_extraction": ("task to extract facts from the text", "tasks to extract facts from the text"),
    "summarization": ("task to summarize the text", "tasks to summarize the text"),
    "classification": ("task to classify the text", "tasks to classify the text"),
}
"""How a task about a text that is there is called: one of them, several."""
WHETHER = "Can the task below only be answered with one of a few fixed labels? Answer yes or no."
LABELLED = (
    ("Is this film review positive or negative?", "Yes"),
    ("What could a family do on a rainy Sunday?", "No"),
    ("Say which of the three departments should get this letter.", "Yes"),
    ("Shorten the minutes to three sentences.", "No"),
    ("When did the ferry leave?", "No"),
    ("Is the statement true or false?", "Yes"),
    ("Translate the notice into French.", "No"),
    ("Decide whether this message is spam.", "Yes"),
)
"""Tasks, and whether they are classifications."""
GUESS = "Give one possible answer, in a few words, to this task"


def ask_instructions(
    category: str, examples: Sequence[InstructionRecord], wanted: Wanted, wish: str = "", topic: str = ""
) -> tuple[Message, ...]:
    """Ask for instructions in the form that is wanted, after lists of as many examples."""
    turns, count = [Message("system", _joined(PROPOSE, wanted.words))], wanted.count
    for start in range(0, len(examples), count):
        shown = examples[start : start + count]
        turns += [Message("user", _new(len(shown), category)), Message("assistant", _written(shown, wanted))]
    return (*turns, Message("user", _joined(_new(count, category, topic), wish)))


def brought_by(persona: str) -> str:
    """Say whose tasks are wanted; a task that names the person would be one about them."""
    return (
        "Each is one that the following person would really bring to an assistant, out of their own work or life and "
        f"in their own words. Do not say who they are. The person: {persona}."
    )


def ask_items(
    category: str, examples: Sequence[InstructionRecord], wanted: Wanted, wish: str = ""
) -> tuple[Message, ...]:
    """Ask for whole items, after finished ones."""
    style = STYLES.get(category, STYLE) if "response" in wanted.fields else ""
    return (
        Message("system", _joined(PROPOSE_ITEMS, style, wanted.words)),
        Message("user", _new(len(examples), category)),
        Message("assistant", _written(examples, wanted)),
        Message("user", _joined(_new(wanted.count, category), wish)),
    )


def ask_about(
    category: str, passage: str, examples: Sequence[InstructionRecord], wanted: Wanted
) -> tuple[Message, ...]:
    """Ask for instructions about a passage, after one about each example's text."""
    kind = ABOUT.get(category, ABOUT["closed_qa"])
    turns = [Message("system", _joined(PROPOSE_ABOUT, wanted.words))]
    for shown in examples:
        asked = _about(shown.context, f"Write 1 new {kind[0]}.")
        turns += [Message("user", asked), Message("assistant", _written([shown], wanted))]
    last = f"Write {wanted.count} new {kind[wanted.count > 1]}."
    return (*turns, Message("user", _about(passage, last)))


def ask_whether_labelled(record: InstructionRecord) -> tuple[Message, ...]:
    """Ask whether a task is a classification, after tasks that are and are not."""
    turns: list[Message] = []
    for task, said in LABELLED:
        turns += [Message("user", f"{WHETHER}\n\n{task}"), Message("assistant", said)]
    return (*turns, Message("user", f"{WHETHER}\n\n{record.instruction}"))


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


def _new(count: int, category: str, topic: str = "") -> str:
    kind = KINDS.get(category) or f"{category.replace('_', ' ')} tasks".strip()
    return f"Write {count} new {kind}{topic and f' about {topic}'}."


def _about(text: str, ask: str) -> str:
    return f"Text:\n{text}\n\n{ask}"


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)
