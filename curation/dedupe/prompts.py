"""What a record asks."""

from typing import NamedTuple

from schemas.record import InstructionRecord


class Prompt(NamedTuple):
    """What a record asks."""

    instruction: str
    context: str

    @property
    def text(self) -> str:
        """The prompt as one text: instruction, newline, context."""
        return f"{self.instruction}\n{self.context}".strip() if self.context else self.instruction


def prompt_of(record: InstructionRecord) -> Prompt:
    """Return what a record asks, without spaces around it."""
    return Prompt(record.instruction.strip(), record.context.strip())
