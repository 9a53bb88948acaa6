"""Answers: the instructions of records that are there already, answered by another model.

What mended Alpaca most was to keep its instructions and have a better model answer them. The new record names the old
one as what it was before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from curation.generate.endpoint import Answer, Endpoint
from curation.generate.strategies.instance import Instance
from curation.generate.strategies.shape import Draft, Drafted, Material, Proposal, Sampling, Seeds, Shelf, Turn
from curation.terms.table import terms_of
from schemas.errors import InputError
from schemas.record import InstructionRecord


@dataclass(frozen=True, slots=True)
class Reanswer:
    """The strategy `answer`."""

    sampling: Sampling
    material: Material

    def __post_init__(self) -> None:
        """Refuse to be made without records."""
        if not self.material.records:
            raise InputError(place="generate", field="records", expected="a step directory to answer", found="none")

    def categories(self, seeds: Seeds) -> Sequence[str]:  # noqa: ARG002  # the protocol's
        """Return none: records have categories of their own."""
        return ()

    def propose(self, turn: Turn, shelf: Shelf) -> Proposal | None:  # noqa: ARG002  # the protocol's
        """Take the next record; nothing after the last."""
        if turn.number >= len(self.material.records):
            return None
        return Proposal(blank=unanswered(self.material.records[turn.number]))

    def read(self, proposal: Proposal, answer: Answer) -> list[Drafted]:  # noqa: ARG002  # the protocol's
        """Read nothing: no instruction is asked for."""
        return []

    async def finish(self, draft: Draft, shelf: Shelf, endpoint: Endpoint) -> Drafted:
        """Ask for the response."""
        return await Instance(self.sampling).finish(draft, shelf, endpoint)


def unanswered(record: InstructionRecord) -> InstructionRecord:
    """Return a record without its response, and without what was said of that."""
    before = record.provenance
    terms = before.terms or (terms_of(before.model).kind if before.model else "")
    came = replace(before, strategy="answer", previous=(*before.previous, record.id), terms=terms)
    repairs = tuple(repair for repair in record.repairs if repair.field != "response")
    return replace(record, response="", provenance=came, repairs=repairs, flags=())
