"""The different prompts among the records: what is encoded once and compared once, however often it occurs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from schemas.record import InstructionRecord


class Prompt(NamedTuple):
    """What a record asks."""

    instruction: str
    context: str

    @property
    def text(self) -> str:
        """The prompt as one text: instruction, newline, context."""
        return f"{self.instruction}\n{self.context}".strip()


def prompt_of(record: InstructionRecord) -> Prompt:
    """Return what a record asks, without spaces around it."""
    return Prompt(record.instruction.strip(), record.context.strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompts:
    """The different prompts, from short to long, so that the order of the records decides nothing."""

    all: Sequence[Prompt]
    of: Sequence[int]
    """Record → its prompt's place in `all`."""
    rows: Sequence[Sequence[int]]
    """Prompt → the records that have it, the best first."""

    @classmethod
    def among(cls, records: Sequence[InstructionRecord], order: Sequence[int]) -> Self:
        """Collect the prompts of the records; `order` says which records are better."""
        rows: dict[Prompt, list[int]] = {}
        for row in order:
            rows.setdefault(prompt_of(records[row]), []).append(row)
        found = sorted(rows, key=lambda prompt: (len(prompt.text), prompt))
        of = [0] * len(records)
        for at, prompt in enumerate(found):
            for row in rows[prompt]:
                of[row] = at
        return cls(all=found, of=of, rows=[rows[prompt] for prompt in found])
