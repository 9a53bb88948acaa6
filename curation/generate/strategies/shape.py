"""What every strategy is given and what it returns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from curation.generate.contract import Wanted
from curation.generate.coverage import NOTHING_YET, Coverage
from curation.generate.endpoint import Answer, Endpoint, Request
from curation.generate.passages import Passage
from curation.generate.yields import Yield
from schemas.outcome import Rejection
from schemas.record import InstructionRecord

Seeds: TypeAlias = Mapping[str, Sequence[InstructionRecord]]
"""By category, categories in order of their names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How the model is asked."""

    model: str
    answer_model: str = ""
    """Writes the responses; empty: the same."""
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
    form: str = "list"
    """How items are written in an answer, one of `curation.generate.contract.FORMS`."""
    steer: bool = True
    """Whether requests say what is short."""
    agree: int = 1
    """Answers of which most have to agree, where they can be compared; 1: nothing is asked twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What strategies work on besides the seeds; each uses its own, and refuses to be made without it."""

    topics: tuple[str, ...] = ()
    personas: tuple[str, ...] = ()
    """People whose tasks are asked for."""
    passages: tuple[Passage, ...] = ()
    records: tuple[InstructionRecord, ...] = ()
    """Records whose instructions are to be answered anew."""
    raw_prompt: str = ""
    """What stands before a user's words in the model's own chat form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One request's place in the run: all that a draw may depend on besides the shelf."""

    round: int
    ordinal: int
    """Number of the request in its round."""
    number: int
    """How many turns this strategy has had before: walks a grid, documents or records."""
    category: str = ""

    @property
    def place(self) -> tuple[int, int]:
        """The place of a draw."""
        return self.round, self.ordinal


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """What a round may show the model: frozen while the round lasts."""

    seeds: Seeds
    made: Mapping[str, Sequence[InstructionRecord]] = field(default_factory=dict)
    """Records accepted in earlier rounds, by category."""
    coverage: Coverage = NOTHING_YET
    """What they cover, beside what the seeds cover."""
    yields: Mapping[str, Yield] = field(default_factory=dict)
    """Strategy → what it brought in, and what that cost."""
    round: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A request whose answer will hold instructions, and what it shows."""

    blank: InstructionRecord
    """What every record out of the answer begins as: category, strategy, perhaps a context."""
    request: Request | None = None
    """None: nothing need be asked, the blank is an instruction already."""
    examples: tuple[InstructionRecord, ...] = ()
    wanted: Wanted | None = None
    """What its answer is to hold, so that what a cut one lacks can be asked for once more; None: one text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A record in the making: an instruction, later with context and response."""

    record: InstructionRecord
    requests: Mapping[str, str] = field(default_factory=dict)
    """Field → key of the request whose answer it is."""
    sample: int = 0
    """How many drafts before had the same instruction and context: tells their requests apart."""
    given: bool = False
    """The instruction is somebody's own: nobody asks whether it is new."""
    grounded: bool = False
    """The context is a document's, and the response has to be supported by it."""


Drafted: TypeAlias = Draft | Rejection


class Strategy(Protocol):
    """Turns examples into requests, and their answers into drafts."""

    def categories(self, seeds: Seeds) -> Sequence[str]:
        """Return the categories it can be asked for; none: its records tell themselves, or have no category."""

    def propose(self, turn: Turn, shelf: Shelf) -> Proposal | None:
        """Return what is asked at this turn; None: nothing is left to work on."""

    def read(self, proposal: Proposal, answer: Answer) -> list[Drafted]:
        """Return a draft for each instruction in the answer; nothing in it is dropped."""

    async def finish(self, draft: Draft, shelf: Shelf, endpoint: Endpoint) -> Drafted:
        """Ask for what the draft lacks. Several drafts are being finished at a time."""
