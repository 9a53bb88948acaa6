"""Ways of getting records out of a model. To add one: write it and enter it in `STRATEGIES`.

A strategy proposes requests for a round, reads drafts out of their answers, and finishes a draft with requests of its
own. It keeps nothing between rounds: what it may show the model is in the `Shelf`. The loop around it (order, gates,
novelty, the number of records) is the same for all, see `curation.generate.rounds`.
"""

from collections.abc import Callable, Mapping

from curation.generate.strategies.self_instruct import SelfInstruct
from curation.generate.strategies.shape import Draft, Proposal, Sampling, Shelf, Strategy

STRATEGIES: Mapping[str, Callable[[Sampling], Strategy]] = {"self-instruct": SelfInstruct}
"""Name → strategy."""

__all__ = ["STRATEGIES", "Draft", "Proposal", "Sampling", "SelfInstruct", "Shelf", "Strategy"]
