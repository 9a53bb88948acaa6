"""What a defect is planted in, and what mutators need to change it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import TypeAlias

from schemas.record import InstructionRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A sound record that is to become a defective one."""

    record: InstructionRecord
    other: InstructionRecord
    """Another record of the same data, for defects that mix two."""
    rng: Random
    """Seeded by the defect and the record, so that the same host always gives the same plant."""


Mutator: TypeAlias = Callable[[Host], InstructionRecord | None]
"""Returns the host's record with the defect, or None where the record has no place for it."""

_BETWEEN_SENTENCES = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"\u201c(])")


def answering(host: Host, response: str) -> InstructionRecord:
    """Return the host's record with another response."""
    return replace(host.record, response=response)


def asking(host: Host, instruction: str, context: str | None = None) -> InstructionRecord:
    """Return the host's record with another instruction, and another context where one is given."""
    record = host.record
    return replace(record, instruction=instruction, context=record.context if context is None else context)


def sentences(text: str) -> list[str]:
    """Return the sentences of a text, roughly: what ends with a full stop before a capital letter."""
    return [part for part in _BETWEEN_SENTENCES.split(text.strip()) if part]


def lowered(text: str) -> str:
    """Return a sentence as it stands after other words: its first letter small, unless a name seems to stand there."""
    first, second = [*text.split(maxsplit=2)[:2], "", ""][:2]
    word = first.replace("'", "")
    plain = word.isalpha() and word[1:].islower() and second[:1].islower() and not first.startswith("I'")
    return text[:1].lower() + text[1:] if plain else text
