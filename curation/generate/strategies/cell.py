"""Instructions for one cell of what seeds are to cover: a category, a form, a length. `dolly-data seeds suggest`."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import NamedTuple

from curation.generate import prompts
from curation.generate.coverage import WORDS, Wish, features
from curation.generate.endpoint import Answer, Endpoint
from curation.generate.strategies.drafts import blank, drafts_of, instructions_request
from curation.generate.strategies.instance import Instance
from curation.generate.strategies.self_instruct import instructions_wanted, shown
from curation.generate.strategies.shape import Draft, Drafted, Proposal, Sampling, Seeds, Shelf, Strategy, Turn
from schemas.outcome import reject
from schemas.record import InstructionRecord, Reason

FORMS, LENGTHS = (tuple(value for feature, value in WORDS if feature == name) for name in ("form", "length"))
"""The values of a cell, as coverage counts them."""


class SeedCell(NamedTuple):
    """What a seed is an example of. Whether it has a context is its category's habit."""

    category: str
    form: str
    length: str

    def __str__(self) -> str:
        return f"{self.category} · {self.form} · {self.length}"


def cell_of(record: InstructionRecord) -> SeedCell:
    """Return the cell that a record is in."""
    has = features(record)
    return SeedCell(record.category, has["form"], has["length"])


def grid_of(categories: Iterable[str]) -> tuple[SeedCell, ...]:
    """Return every cell of these categories."""
    return tuple(SeedCell(*cell) for cell in product(categories, FORMS, LENGTHS))


def thin_cells(records: Iterable[InstructionRecord], cells: Sequence[SeedCell], least: int) -> list[tuple[int, int]]:
    """Return the cells with fewer than `least` records, as (records, number of the cell), the emptiest first."""
    counts = Counter(map(cell_of, records))
    return sorted((counts[cell], at) for at, cell in enumerate(cells) if counts[cell] < least)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellTurns:
    """Turns that ask for each thin cell, the emptiest first, in a few rounds."""

    strategy: Strategy
    cells: Sequence[SeedCell]
    least: int
    rounds: int

    def shares(self, shelf: Shelf) -> Mapping[str, float]:  # noqa: ARG002  # there is one strategy
        """Return nothing: there is nothing to share."""
        return {}

    def turns(self, shelf: Shelf) -> Iterator[tuple[Strategy, Turn]]:
        """Yield the turns of a round; none where every cell has enough, or was asked for often enough."""
        if shelf.round >= self.rounds:
            return
        there = [record for of in (*shelf.seeds.values(), *shelf.made.values()) for record in of]
        for ordinal, (_, at) in enumerate(thin_cells(there, self.cells, self.least)):
            category = self.cells[at].category
            yield self.strategy, Turn(round=shelf.round, ordinal=ordinal, number=at, category=category)


@dataclass(frozen=True, slots=True)
class CellDrafts:
    """Asks for instructions of a cell, and keeps those that are in it. A turn's number is that of its cell."""

    sampling: Sampling
    cells: Sequence[SeedCell]

    def categories(self, seeds: Seeds) -> Sequence[str]:  # noqa: ARG002  # a turn says it
        """Return nothing: nobody chooses."""
        return ()

    def propose(self, turn: Turn, shelf: Shelf) -> Proposal:
        """Ask for instructions in the cell's form and length, after seeds that fit it best."""
        cell = self.cells[turn.number]
        wished = Wish((("form", cell.form), ("length", cell.length)))
        examples = shown(self.sampling, turn, shelf, wished)
        wanted = instructions_wanted(self.sampling, turn)
        messages = prompts.ask_instructions(cell.category, examples, wanted, wished.words)
        request = replace(instructions_request(self.sampling, messages, wanted.count), constraint=wanted.constraint)
        begun = replace(blank("seeds", cell.category, examples), extra={"cell": cell._asdict()})
        return Proposal(blank=begun, request=request, examples=tuple(examples), wanted=wanted)

    def read(self, proposal: Proposal, answer: Answer) -> list[Drafted]:
        """Return a draft for each item that is in the cell, and a rejection for each that is not."""
        return [_in_its_cell(one) for one in drafts_of(proposal, answer)]

    async def finish(self, draft: Draft, shelf: Shelf, endpoint: Endpoint) -> Drafted:
        """Ask for the instance."""
        return await Instance(self.sampling).finish(draft, shelf, endpoint)


def _in_its_cell(drafted: Drafted) -> Drafted:
    if not isinstance(drafted, Draft):
        return drafted
    wanted, found = SeedCell(**drafted.record.extra["cell"]), cell_of(drafted.record)
    if found == wanted:
        return drafted
    reason = Reason(code="draft_not_in_cell", field="instruction", found=str(found), limit=str(wanted))
    return reject(drafted.record, reason)
