"""Topics: a grid of category, topic and form, walked cell by cell.

Where seeds alone lead in circles, a topic leads away: every request names another one, so that a thousand requests are
about a thousand cells and not about the three things that a model likes best.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from curation.generate import prompts
from curation.generate.coverage import WORDS, Wish
from curation.generate.endpoint import Answer, Endpoint
from curation.generate.strategies.drafts import blank, drafts_of, every_category, instructions_request
from curation.generate.strategies.instance import Instance
from curation.generate.strategies.self_instruct import instructions_wanted, shown
from curation.generate.strategies.shape import Draft, Drafted, Material, Proposal, Sampling, Seeds, Shelf, Turn
from schemas.errors import InputError

FORMS = tuple(value for feature, value in WORDS if feature == "form")
"""The forms of an instruction, as coverage counts them."""


@dataclass(frozen=True, slots=True)
class Topic:
    """The strategy `topic`."""

    sampling: Sampling
    material: Material

    def __post_init__(self) -> None:
        """Refuse to be made without topics."""
        if not self.material.topics:
            raise InputError(place="generate", field="topics", expected="a file of topics", found="none")

    def categories(self, seeds: Seeds) -> Sequence[str]:
        """Return the categories of the seeds."""
        return every_category(seeds)

    def propose(self, turn: Turn, shelf: Shelf) -> Proposal:
        """Ask for instructions of a category about a topic, in a form."""
        topic, form = self.cell(turn.number)
        wished = Wish((("form", form),))
        examples = shown(self.sampling, turn, shelf, wished)
        wanted = instructions_wanted(self.sampling, turn)
        messages = prompts.ask_instructions(turn.category, examples, wanted, wished.words, topic)
        request = instructions_request(self.sampling, messages, wanted.count)
        begun = replace(blank("topic", turn.category, examples), extra={"topic": topic})
        request = replace(request, constraint=wanted.constraint)
        return Proposal(blank=begun, request=request, examples=tuple(examples), wanted=wanted)

    def read(self, proposal: Proposal, answer: Answer) -> list[Drafted]:
        """Return a draft for each item of the list."""
        return drafts_of(proposal, answer)

    async def finish(self, draft: Draft, shelf: Shelf, endpoint: Endpoint) -> Drafted:
        """Ask for the instance."""
        return await Instance(self.sampling).finish(draft, shelf, endpoint)

    def cell(self, number: int) -> tuple[str, str]:
        """Return the topic and form of a turn; each pair once before one comes again."""
        topics = self.material.topics
        again, at = divmod(number, len(topics))
        return topics[at], FORMS[(at + again) % len(FORMS)]
