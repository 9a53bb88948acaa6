"""Ways of making pairs; each is two functions that write requests and two that read answers."""

from collections.abc import Mapping

from curation.generate.strategies.self_instruct import SelfInstruct
from curation.generate.strategies.shape import Strategy

STRATEGIES: Mapping[str, type[Strategy]] = {"self-instruct": SelfInstruct}
"""Name → strategy."""
