"""Alpaca: whole items, several at once.

After Taori et al. 2023 (https://github.com/tatsu-lab/stanford_alpaca): three finished seeds are shown, and the model
goes on with up to 16 more, instruction, input and output in one answer. One request serves many records, so it is the
cheapest strategy, and wants a model that can keep to a form. Different here: items of one category at a time; the
form is that of the output contract, where Alpaca's stop string "20." cut every answer that held it; an item counts only
if it was closed, and all three of its fields are checked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from curation.generate import prompts
from curation.generate.contract import Wanted, mark_of
from curation.generate.draw import draw
from curation.generate.endpoint import Answer, Endpoint
from curation.generate.strategies.drafts import blank, drafts_of, every_category, instructions_request
from curation.generate.strategies.instance import Instance
from curation.generate.strategies.self_instruct import wished_for
from curation.generate.strategies.shape import Draft, Drafted, Material, Proposal, Sampling, Seeds, Shelf, Turn

SHOWN = 3
"""Finished seeds in a request."""


@dataclass(frozen=True, slots=True)
class Alpaca:
    """The strategy `alpaca`."""

    sampling: Sampling
    material: Material = Material()  # noqa: RUF009  # frozen

    def categories(self, seeds: Seeds) -> Sequence[str]:
        """Return the categories of the seeds."""
        return every_category(seeds)

    def propose(self, turn: Turn, shelf: Shelf) -> Proposal:
        """Ask for whole items; without responses, where another model is to write those."""
        wished, seeds = wished_for(self.sampling, turn, shelf), shelf.seeds[turn.category]
        place = (self.sampling.seed, *turn.place)
        examples = wished.first(draw(seeds, len(seeds) if wished.cells else SHOWN, *place))[:SHOWN]
        wanted = self._wanted(turn)
        messages = prompts.ask_items(turn.category, examples, wanted, wished.words)
        request = instructions_request(self.sampling, messages, wanted.count)
        tokens = request.params["max_tokens"] + wanted.count * self.sampling.max_tokens
        params = {**request.params, "max_tokens": tokens}
        request = replace(request, params=params, constraint=wanted.constraint)
        begun = blank("alpaca", turn.category, examples)
        return Proposal(blank=begun, request=request, examples=tuple(examples), wanted=wanted)

    def read(self, proposal: Proposal, answer: Answer) -> list[Drafted]:
        """Return a draft for each item."""
        return drafts_of(proposal, answer)

    async def finish(self, draft: Draft, shelf: Shelf, endpoint: Endpoint) -> Drafted:
        """Ask for the response if another model is to write it."""
        return await Instance(self.sampling).finish(draft, shelf, endpoint)

    def _wanted(self, turn: Turn) -> Wanted:
        fields = ("instruction", "context", "response")
        return Wanted(
            form=self.sampling.form,
            count=self.sampling.per_request,
            fields=fields[:2] if self.sampling.answer_model else fields,
            optional=("context",),
            mark=mark_of(self.sampling.seed, *turn.place),
        )
