"""Parts that are not there: no answer, a stand-in for one, an echo of the question, "no input" typed as input."""

from curation.audit.host import Host, answering, asking
from schemas.record import InstructionRecord

BLANKS = ("", " ", "\n", "\n\n", "\u200b", "\u00a0")
STAND_INS = (
    "<nooutput>", "<no output>", "N/A", "n/a", "[Insert response here]", "[insert answer]", "...", "TBD",
    "To be determined", "No output", "Your response here", "Lorem ipsum dolor sit amet, consectetur adipiscing elit.",
    "[Insert chart here]", "placeholder",
)  # fmt: skip
NO_INPUTS = (
    "<noinput>", "<no input>", "No input", "no input", "No input required.", "noinput", "<NoInput>", "(no input)",
    "No input needed", "N/A", "none", "None",
)  # fmt: skip
SHORT_CONTEXT = 5
"""Words of a context from which on its repetition is no answer by accident."""


def empty_response(host: Host) -> InstructionRecord:
    """The answer is missing, or is white space."""
    return answering(host, host.rng.choice(BLANKS))


def stand_in(host: Host) -> InstructionRecord:
    """The answer is a stand-in for one: "<nooutput>", "[insert answer]"."""
    return answering(host, host.rng.choice(STAND_INS))


def echoed_instruction(host: Host) -> InstructionRecord:
    """The answer is the instruction again."""
    return answering(host, host.record.instruction)


def echoed_context(host: Host) -> InstructionRecord | None:
    """The answer is the whole context again."""
    return answering(host, host.record.context) if len(host.record.context.split()) > SHORT_CONTEXT else None


def no_input_typed(host: Host) -> InstructionRecord | None:
    """The context says that there is none: "<noinput>"."""
    if host.record.context.strip():
        return None
    return asking(host, host.record.instruction, host.rng.choice(NO_INPUTS))
