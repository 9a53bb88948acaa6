"""What every strategy is given and what it returns."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from curation.generate.contract import Wanted
from curation.generate.endpoint import Answer, Endpoint, Request
from schemas.outcome import Rejection
from schemas.record import InstructionRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How the model is asked."""

    model: str
    seed: int
    """Decides every draw of examples."""
    temperature: float
    """Of requests for instructions."""
    answer_temperature: float
    """Of requests for contexts and responses."""
    frequency_penalty: float
    """Of contexts and responses, against loops; 0 is not sent."""
    max_tokens: int
    """Longest context or response."""
    examples: int
    """Finished records shown where a context or a response is asked for."""
    per_request: int
    """Instructions asked for at once."""
    round_size: int
    """Requests for instructions in a round."""
    form: str = "list"
    """How items are written in an answer, one of `curation.generate.contract.FORMS`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """What a round may show the model: frozen while the round lasts."""

    round: int
    seeds: Mapping[str, Sequence[InstructionRecord]]
    """By category, categories in order of their names."""
    made: Mapping[str, Sequence[InstructionRecord]]
    """Records accepted in earlier rounds, by category."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A request whose answer will hold instructions, and what it shows."""

    request: Request
    category: str
    examples: tuple[InstructionRecord, ...]
    wanted: Wanted | None = None
    """What its answer is to hold, so that what a cut one lacks can be asked for once more; None: one text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A record in the making: an instruction, later with context and response."""

    record: InstructionRecord
    requests: Mapping[str, str] = field(default_factory=dict)
    """Field → key of the request whose answer it is."""


Drafted: TypeAlias = Draft | Rejection


class Strategy(Protocol):
    """Turns examples into requests, and their answers into drafts."""

    def propose(self, shelf: Shelf) -> Iterator[Proposal]:
        """Yield the round's requests for instructions, in order."""

    def read(self, proposal: Proposal, answer: Answer) -> list[Drafted]:
        """Return a draft for each instruction in the answer; nothing in it is dropped."""

    async def finish(self, draft: Draft, shelf: Shelf, endpoint: Endpoint) -> Drafted:
        """Ask for what the draft lacks. Several drafts are being finished at a time."""
