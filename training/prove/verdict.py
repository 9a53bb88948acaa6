"""One of four verdicts, by the rule of the protocol, and what follows from the numbers beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from training.prove.statistics import LEVEL, Estimate, Numbers, Spread, estimate, smallest_effect

Verdict = Literal["gain", "no detectable gain", "harm", "underpowered"]
MOST_SEEDS = 50
"""Seeds beyond which no number is suggested."""
RATIOS = np.linspace(-2, 3, 1001)
"""Shares of a lost loss among which the recovered one is looked for."""


def judge(seen: Estimate, smallest: float, level: float = LEVEL) -> Verdict:
    """Return the verdict on a difference, of which below 0 is better."""
    low, high = seen.interval(level)
    if high < 0:
        return "gain"
    if low > 0:
        return "harm"
    return "no detectable gain" if low > -smallest else "underpowered"


def sentence(verdict: Verdict, arm: str, against: str, seen: Estimate, smallest: float) -> str:
    """Return what a verdict rests on, in a sentence for people."""
    low, high = seen.interval()
    between = f"95 % interval {low:+.4f} to {high:+.4f}"
    less = (
        f"{arm} has a loss {abs(seen.mean):.4f} nats per token {'lower' if seen.mean < 0 else 'higher'} than {against}"
    )
    match verdict:
        case "gain" | "harm":
            return f"{less} ({between})."
        case "no detectable gain":
            return f"{less} ({between}); a gain of {smallest:.4f} or more is ruled out."
    enough = seeds_needed(seen, smallest)
    more = f"about {enough} seeds would do" if enough else "more test prompts are needed, or another base"
    return f"{less} ({between}); a gain of {smallest:.4f} is neither shown nor ruled out, {more}."


def seeds_needed(seen: Estimate, smallest: float) -> int:
    """Return the seeds with which an effect of this size would be found, if all varies as was seen; 0: too many."""
    seeds = len(seen.by_seed)
    spread = Spread(seed_sd=(seen.seed_variance * seeds) ** 0.5, prompt_sd=(seen.prompt_variance * seen.prompts) ** 0.5)
    for more in range(seeds + 1, MOST_SEEDS + 1):
        if smallest_effect(spread, seeds=more, prompts=seen.prompts) <= smallest:
            return more
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """With which share of the budget an arm reaches the loss that another ends with; None: not within it."""

    share: float | None
    earliest: float | None
    """Where the interval of the difference begins to hold 0."""
    latest: float | None
    """Where the interval has passed 0."""


def reach(shares: Sequence[float], above_target: Sequence[Estimate]) -> Reach:
    """Return where a difference to a target falls to 0, between marks on a straight line.

    The interval holds the shares at which the difference cannot be told from 0; each mark's is at the usual level.
    """
    ends = [one.interval() for one in above_target]
    return Reach(
        share=crossing(shares, [one.mean for one in above_target]),
        earliest=crossing(shares, [low for low, _ in ends]),
        latest=crossing(shares, [high for _, high in ends]),
    )


def crossing(places: Sequence[float], heights: Sequence[float]) -> float | None:
    """Return the first place at which a broken line is at or below 0."""
    if heights[0] <= 0:
        return places[0]
    for at in range(1, len(places)):
        if heights[at] <= 0:
            down = heights[at - 1] / (heights[at - 1] - heights[at])
            return places[at - 1] + down * (places[at] - places[at - 1])
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """The share of a lost loss that came back."""

    percent: int
    share: float
    low: float | None
    """None: no end to this side, because the loss itself is uncertain."""
    high: float | None


def recovered(percent: int, clean: Numbers, planted: Numbers, curated: Numbers, tokens: Numbers) -> Recovered:
    """Return which share of planted's loss over clean's curated wins back; arrays [seeds, prompts].

    Fieller's interval: every share r at which planted - curated - r · (planted - clean) cannot be told from 0.
    """
    lost, back = planted - clean, planted - curated
    open_ratios = [ratio for ratio in RATIOS if _holds_zero(estimate(back - ratio * lost, tokens))]
    low, high = (min(open_ratios), max(open_ratios)) if open_ratios else (None, None)
    return Recovered(
        percent=percent,
        share=float(back.sum() / lost.sum()) if lost.sum() else 0.0,
        low=None if low in (None, RATIOS[0]) else round(float(low), 3),
        high=None if high in (None, RATIOS[-1]) else round(float(high), 3),
    )


def _holds_zero(seen: Estimate) -> bool:
    low, high = seen.interval()
    return low <= 0 <= high
