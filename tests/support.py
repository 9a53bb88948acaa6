"""What several tests share: records made by hypothesis, small steps on disk, the real data where it is."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import strategies as st

from schemas.outcome import SILENT, Aside, Outcome
from schemas.record import InstructionRecord, Provenance
from schemas.step import StepDirectory, write_step

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"


def real_data(name: str) -> Path:
    """Return a file of the real data; skip the test, saying so, where it is absent."""
    path = DATA / name
    if not path.exists():
        pytest.skip(f"the real data is not here: {path}")
    return path


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
"""Any text a record may hold, hostile or not."""
filled = texts.filter(str.strip)
words = st.lists(
    st.sampled_from(
        ["add", "multiply", "the", "two", "numbers", "list", "five", "ways", "to", "cook", "rice", "in", "Paris"]
    ),
    min_size=1,
).map(" ".join)
"""Text of few words, so that duplicates are common."""


def records(text: st.SearchStrategy[str] = filled) -> st.SearchStrategy[InstructionRecord]:
    """Records with any content; the line of their provenance tells equal ones apart."""
    return st.builds(
        InstructionRecord,
        instruction=text,
        context=st.one_of(st.just(""), text),
        response=text,
        category=st.sampled_from(["", "open_qa"]),
        provenance=st.builds(Provenance, source=st.just("a.jsonl"), line=st.integers(1, 10_000)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A source that yields what it was given."""

    rows: int = 0
    """How many; only to have a setting."""

    @property
    def name(self) -> str:
        """The source's name."""
        return "given"


def step_of(path: Path, outcomes: Iterable[Outcome], aside: Aside = SILENT) -> StepDirectory:
    """Write outcomes into a step directory."""
    outcomes = list(outcomes)
    return write_step(path, Given(rows=len(outcomes)), lambda _: outcomes, aside=aside)[0]


def pair(
    instruction: str = "Name a colour.", response: str = "Blue.", context: str = "", **more: object
) -> InstructionRecord:
    """Return a small record."""
    return InstructionRecord(instruction=instruction, response=response, context=context, **more)  # type: ignore[arg-type]  # passed through
