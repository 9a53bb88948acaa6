"""Documents: tasks about passages of the user's own texts, answered from the passage alone.

For the knowledge of a company, which no model has. The passage is the record's context; where it stands (file, digest,
first and last character) goes with the record; and a response that brings in a number or a name that the passage does
not hold is rejected.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from curation.generate import prompts
from curation.generate.draw import draw
from curation.generate.endpoint import Answer, Endpoint
from curation.generate.strategies.drafts import blank, drafts_of, instructions_request
from curation.generate.strategies.instance import Instance
from curation.generate.strategies.self_instruct import instructions_wanted
from curation.generate.strategies.shape import Draft, Drafted, Material, Proposal, Sampling, Seeds, Shelf, Turn
from schemas.errors import InputError

SHOWN = 2
"""Seeds in a request, each with its text."""
WITHOUT = "closed_qa"
"""The category where no category of the seeds is about texts."""


@dataclass(frozen=True, slots=True)
class Docs:
    """The strategy `docs`."""

    sampling: Sampling
    material: Material

    def __post_init__(self) -> None:
        """Refuse to be made without documents."""
        if not self.material.passages:
            raise InputError(place="generate", field="docs", expected="documents to write about", found="none")

    def categories(self, seeds: Seeds) -> Sequence[str]:
        """Return the categories whose seeds are all about a text."""
        return [name for name, of in seeds.items() if all(seed.context for seed in of)] or [WITHOUT]

    def propose(self, turn: Turn, shelf: Shelf) -> Proposal:
        """Ask for tasks about the next passage."""
        passage = self.material.passages[turn.number % len(self.material.passages)]
        about = [seed for seed in shelf.seeds.get(turn.category, ()) if seed.context]
        examples = draw(about, SHOWN, self.sampling.seed, *turn.place)
        wanted = instructions_wanted(self.sampling, turn)
        messages = prompts.ask_about(turn.category, passage.text, examples, wanted)
        request = instructions_request(self.sampling, messages, wanted.count)
        begun = replace(
            blank("docs", turn.category, examples), context=passage.text, extra={"passage": passage.place()}
        )
        request = replace(request, constraint=wanted.constraint)
        return Proposal(blank=begun, request=request, examples=tuple(examples), wanted=wanted)

    def read(self, proposal: Proposal, answer: Answer) -> list[Drafted]:
        """Return a draft for each item of the list, bound to its passage."""
        drafts = drafts_of(proposal, answer)
        return [replace(one, grounded=True) if isinstance(one, Draft) else one for one in drafts]

    async def finish(self, draft: Draft, shelf: Shelf, endpoint: Endpoint) -> Drafted:
        """Ask for the response."""
        return await Instance(self.sampling).finish(draft, shelf, endpoint)
