"""The same number of steps and of response tokens for every arm, whatever its number of records.

A step takes records of the seeded order until its share of the budget is reached, so two arms never differ by more than
a record. An arm with fewer tokens than the budget is repeated, in another order each time; one with more is cut.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from training.config import TrainConfig
from training.records.batching import order
from training.records.encoding import Example

MARKS = (0.125, 0.25, 0.5, 0.75, 1.0)
"""Shares of the budget after which every arm is measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What every arm may use."""

    steps: int
    """Optimiser steps."""
    tokens_per_step: int
    """Response tokens."""

    @property
    def tokens(self) -> int:
        """Response tokens of a run."""
        return self.steps * self.tokens_per_step

    @property
    def marks(self) -> tuple[int, ...]:
        """Steps after which an arm is measured; the last is the last of all."""
        return tuple(sorted({max(1, round(share * self.steps)) for share in MARKS}))


def budget_for(config: TrainConfig, reference: Sequence[Example]) -> Budget:
    """Return the budget that the settings mean: as many tokens a step as `rows_per_step` records of `reference` have.

    Without a limit on steps it lasts for `epochs` passes over it.
    """
    tokens = sum(one.supervised for one in reference)
    per_step = max(1, round(tokens * config.rows_per_step / len(reference)))
    passes = max(1, round(config.epochs * tokens / per_step))
    return Budget(steps=min(passes, config.steps) if config.steps else passes, tokens_per_step=per_step)


def planned(examples: Sequence[Example], budget: Budget, seed: int) -> list[list[Example]]:
    """Return the records of each step; each takes one at least."""
    endless = _endless(examples, seed)
    steps, tokens = [], 0
    for number in range(1, budget.steps + 1):
        taken: list[Example] = []
        while tokens < number * budget.tokens_per_step or not taken:
            taken.append(next(endless))
            tokens += taken[-1].supervised
        steps.append(taken)
    return steps


def _endless(examples: Sequence[Example], seed: int) -> Iterator[Example]:
    for epoch in count():
        for place in order(len(examples), seed, epoch):
            yield examples[place]
