"""What a comparison of models consists of; the page, the terminal and JSON show the same values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from training.answers.respond import Answer, Question, Sampling
from training.compare.judging import Judgement
from training.compare.measures import MEASURES, Measure, Numbers

Kind = Literal["tuned", "untuned", "endpoint"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What a tuned model was made of, as its run record says."""

    base: str
    preset: str
    steps: int
    data: str
    """Title and version of the release, or the path of the step."""
    digest: str
    """sha256 of the release's rows or of the step's manifest."""
    records: int
    """Trained on."""
    gate: str
    """Whether people had looked at the records, in a sentence."""
    problem: str = ""
    """Why the data could not be read again, to look for what was copied; empty where it could."""
    leaked: int = 0
    """Held-out records that stand in what it was trained on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """Words of the answers: a tenth are shorter than `low`, a tenth longer than `high`."""

    low: float
    median: float
    high: float
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelResult:
    """What one model did."""

    name: str
    kind: Kind
    template: str
    """Of the prompt; empty for an endpoint, which has its own."""
    answers: tuple[Answer, ...]
    numbers: Mapping[str, Numbers]
    """By measure, see MEASURES."""
    constraints: Mapping[str, Mapping[str, int]]
    """Kind → how often it was asked for, and followed strictly and loosely."""
    lengths: Lengths
    provenance: Provenance | None = None

    @property
    def tuned(self) -> bool:
        """True for a checkpoint of this tool."""
        return self.kind == "tuned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How much higher a model's numbers are than the first model's, over the same prompts."""

    name: str
    than: str
    numbers: Mapping[str, Numbers]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Everything the page shows."""

    questions: tuple[Question, ...]
    results: tuple[ModelResult, ...]
    differences: tuple[Difference, ...]
    """Of each other model to the first."""
    sampling: Sampling
    prompts: str
    """What the prompt set is called."""
    prompts_sha256: str
    held_out: str
    """What the held-out file is called; empty without one."""
    held_out_records: int
    held_out_left_out: int = 0
    """Of them, too long for one of the models, and so measured for none."""
    one_tokenizer: bool
    """True where all local models cut text into the same tokens, so that nats a token can be compared."""
    judgements: tuple[Judgement, ...] = ()
    version: str

    @property
    def measures(self) -> dict[str, Measure]:
        """The measures that any model has a number for."""
        there = {name for one in self.results for name, found in one.numbers.items() if found.overall}
        return {name: one for name, one in MEASURES.items() if name in there}

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories of the prompts, in their order."""
        return tuple(dict.fromkeys(one.category for one in self.questions if one.category))
