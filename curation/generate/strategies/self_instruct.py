"""Self-Instruct: instructions that resemble others, then an instance of each.

After Wang et al. 2022 (https://arxiv.org/abs/2212.10560): six instructions of people and up to two of the model's own
in each request; the instance as `curation.generate.strategies.instance` has it. Different here: examples of one
category at a time, so that the kinds of task stay balanced; chat turns instead of raw completions; no stop strings.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from curation.generate import prompts
from curation.generate.contract import Wanted, mark_of
from curation.generate.coverage import Wish, wish
from curation.generate.draw import draw
from curation.generate.endpoint import Answer, Endpoint
from curation.generate.strategies.drafts import blank, drafts_of, every_category, instructions_request
from curation.generate.strategies.instance import Instance
from curation.generate.strategies.shape import Draft, Drafted, Material, Proposal, Sampling, Seeds, Shelf, Turn
from schemas.record import InstructionRecord

HUMAN, MADE = 6, 2
"""Instructions shown in a request: of people, and (up to) of the model's own."""


@dataclass(frozen=True, slots=True)
class SelfInstruct:
    """The strategy `self-instruct`."""

    sampling: Sampling
    material: Material = Material()  # noqa: RUF009  # frozen

    def categories(self, seeds: Seeds) -> Sequence[str]:
        """Return the categories of the seeds."""
        return every_category(seeds)

    def propose(self, turn: Turn, shelf: Shelf) -> Proposal:
        """Ask for instructions that resemble others of the category."""
        wished = wished_for(self.sampling, turn, shelf)
        examples = shown(self.sampling, turn, shelf, wished)
        wanted = instructions_wanted(self.sampling, turn)
        messages = prompts.ask_instructions(turn.category, examples, wanted, wished.words)
        request = replace(instructions_request(self.sampling, messages, wanted.count), constraint=wanted.constraint)
        begun = blank("self-instruct", turn.category, examples)
        return Proposal(blank=begun, request=request, examples=tuple(examples), wanted=wanted)

    def read(self, proposal: Proposal, answer: Answer) -> list[Drafted]:
        """Return a draft for each item of the list."""
        return drafts_of(proposal, answer)

    async def finish(self, draft: Draft, shelf: Shelf, endpoint: Endpoint) -> Drafted:
        """Ask for the instance."""
        return await Instance(self.sampling).finish(draft, shelf, endpoint)


def wished_for(sampling: Sampling, turn: Turn, shelf: Shelf) -> Wish:
    """Return what a turn's request should say is short."""
    return wish(shelf.coverage, turn.category, sampling.seed, *turn.place) if sampling.steer else Wish()


def instructions_wanted(sampling: Sampling, turn: Turn) -> Wanted:
    """Return the form of a list of instructions."""
    return Wanted(form=sampling.form, count=sampling.per_request, mark=mark_of(sampling.seed, *turn.place))


def shown(sampling: Sampling, turn: Turn, shelf: Shelf, wished: Wish) -> list[InstructionRecord]:
    """Draw the instructions that a request shows, in random order; those that fit the wish are preferred."""
    place = (sampling.seed, *turn.place)
    seeds, made = shelf.seeds[turn.category], shelf.made.get(turn.category, ())
    both = [
        *wished.first(draw(seeds, len(seeds) if wished.cells else HUMAN, *place, "human"))[:HUMAN],
        *wished.first(draw(made, 2 * MADE if wished.words else MADE, *place, "made"))[:MADE],
    ]
    return draw(both, len(both), *place, "order")
