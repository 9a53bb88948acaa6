"""Ways of getting records out of a model. To add one: write it and enter it in `STRATEGIES`.

A strategy proposes a request at each of its turns, reads drafts out of the answer, and finishes a draft with requests
of its own. It keeps nothing between turns: what it may show the model is in the `Shelf`, and what it works on in the
`Material`. The loop around it (order, gates, novelty, the number of records) is the same for all, see
`curation.generate.rounds`; so is whose turn it is, see `curation.generate.plan`.
"""

from collections.abc import Callable, Iterable, Mapping

from curation.generate.strategies.agreeing import Agreeing
from curation.generate.strategies.alpaca import Alpaca
from curation.generate.strategies.answer import Reanswer
from curation.generate.strategies.docs import Docs
from curation.generate.strategies.evol import Evol
from curation.generate.strategies.magpie import Magpie
from curation.generate.strategies.persona import Persona
from curation.generate.strategies.self_instruct import SelfInstruct
from curation.generate.strategies.shape import Draft, Material, Proposal, Sampling, Seeds, Shelf, Strategy, Turn
from curation.generate.strategies.topic import Topic

STRATEGIES: Mapping[str, Callable[[Sampling, Material], Strategy]] = {
    "self-instruct": SelfInstruct,
    "alpaca": Alpaca,
    "evol": Evol,
    "topic": Topic,
    "persona": Persona,
    "docs": Docs,
    "magpie": Magpie,
    "answer": Reanswer,
}
"""Name → strategy."""


def strategies_of(names: Iterable[str], sampling: Sampling, material: Material) -> dict[str, Strategy]:
    """Make strategies; where answers are to agree, each with a second opinion."""
    made = {name: STRATEGIES[name](sampling, material) for name in names}
    return {name: Agreeing(one, sampling) for name, one in made.items()} if sampling.agree > 1 else made


__all__ = [
    "STRATEGIES",
    "Draft",
    "Material",
    "Proposal",
    "Sampling",
    "Seeds",
    "SelfInstruct",
    "Shelf",
    "Strategy",
    "Turn",
    "strategies_of",
]
