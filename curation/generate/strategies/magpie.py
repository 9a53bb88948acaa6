"""Magpie: what a model takes for a user's words when it is shown nothing but the place where they stand.

After Xu et al. 2024 (https://arxiv.org/abs/2406.08464): the model's own chat form up to the user's turn is continued by
the instruction it has seen most like it in its training; then it answers. No seeds, no words of ours, so it shows what
the model's makers trained it on. It needs an endpoint that continues a raw prompt (completions); chat endpoints do not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from curation.generate.endpoint import Answer, Endpoint, Request
from curation.generate.strategies.drafts import blank, draft_of
from curation.generate.strategies.instance import Instance
from curation.generate.strategies.shape import Draft, Drafted, Material, Proposal, Sampling, Seeds, Shelf, Turn
from schemas.errors import InputError

TEMPERATURE = 1.0
"""The paper's: the model's own distribution."""


@dataclass(frozen=True, slots=True)
class Magpie:
    """The strategy `magpie`."""

    sampling: Sampling
    material: Material

    def __post_init__(self) -> None:
        """Refuse to be made without the model's chat form."""
        if not self.material.raw_prompt:
            expected = "what stands before a user's words in the model's chat form"
            raise InputError(place="generate", field="raw_prompt", expected=expected, found="nothing")

    def categories(self, seeds: Seeds) -> Sequence[str]:  # noqa: ARG002  # the protocol's
        """Return none: nobody tells the model what to write."""
        return ()

    def propose(self, turn: Turn, shelf: Shelf) -> Proposal:  # noqa: ARG002  # the protocol's
        """Ask for the words of a user."""
        params = {"temperature": TEMPERATURE, "max_tokens": self.sampling.max_tokens}
        request = Request(model=self.sampling.model, prompt=self.material.raw_prompt, messages=(), params=params)
        return Proposal(blank=blank("magpie"), request=request)

    def read(self, proposal: Proposal, answer: Answer) -> list[Drafted]:
        """Return the draft that the whole answer is."""
        return [draft_of(proposal, answer)]

    async def finish(self, draft: Draft, shelf: Shelf, endpoint: Endpoint) -> Drafted:
        """Ask for the response."""
        return await Instance(self.sampling).finish(draft, shelf, endpoint)
