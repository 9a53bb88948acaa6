"""Personas: tasks that somebody would really bring, one person after another.

After Ge et al. 2024 (https://arxiv.org/abs/2406.20094): what people ask for follows from who they are, so a list of
people is a list of directions. Different here: people of a list that can be read and replaced, instead of a billion
that a model wrote; the task keeps the person's concern and does not name the person.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from curation.generate import prompts
from curation.generate.endpoint import Answer, Endpoint
from curation.generate.strategies.drafts import blank, drafts_of, every_category, instructions_request
from curation.generate.strategies.instance import Instance
from curation.generate.strategies.self_instruct import instructions_wanted, shown, wished_for
from curation.generate.strategies.shape import Draft, Drafted, Material, Proposal, Sampling, Seeds, Shelf, Turn
from schemas.errors import InputError


@dataclass(frozen=True, slots=True)
class Persona:
    """The strategy `persona`."""

    sampling: Sampling
    material: Material

    def __post_init__(self) -> None:
        """Refuse to be made without people."""
        if not self.material.personas:
            raise InputError(place="generate", field="personas", expected="a file of personas", found="none")

    def categories(self, seeds: Seeds) -> Sequence[str]:
        """Return the categories of the seeds."""
        return every_category(seeds)

    def propose(self, turn: Turn, shelf: Shelf) -> Proposal:
        """Ask for instructions of a category that the next person would bring."""
        persona = self.material.personas[turn.number % len(self.material.personas)]
        wished = wished_for(self.sampling, turn, shelf)
        examples = shown(self.sampling, turn, shelf, wished)
        wanted = instructions_wanted(self.sampling, turn)
        words = " ".join(filter(None, (prompts.brought_by(persona), wished.words)))
        messages = prompts.ask_instructions(turn.category, examples, wanted, words)
        request = replace(instructions_request(self.sampling, messages, wanted.count), constraint=wanted.constraint)
        begun = replace(blank("persona", turn.category, examples), extra={"persona": persona})
        return Proposal(blank=begun, request=request, examples=tuple(examples), wanted=wanted)

    def read(self, proposal: Proposal, answer: Answer) -> list[Drafted]:
        """Return a draft for each item of the list."""
        return drafts_of(proposal, answer)

    async def finish(self, draft: Draft, shelf: Shelf, endpoint: Endpoint) -> Drafted:
        """Ask for the instance."""
        return await Instance(self.sampling).finish(draft, shelf, endpoint)
