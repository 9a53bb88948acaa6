"""From finished runs to numbers: every contrast, every arm, the curves, and the verdict by the protocol's rule."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import orjson

from training.prove.design import Contrast, Design, Kind
from training.prove.prepare import Prepared
from training.prove.protocol import Protocol, attempts
from training.prove.runs import Scores
from training.prove.statistics import Estimate, Numbers, estimate, holm
from training.prove.verdict import Reach, Recovered, Verdict, judge, reach, recovered, sentence

RESULT = "result.json"
NOT_TESTED = (
    "Whether people prefer the answers: the metric is the loss on answers that people wrote, not a vote.",
    "Facts, safety, reasoning, code, or any skill that the test set does not ask for.",
    "Other base models, sizes, budgets, learning rates or prompt templates than the ones named here.",
    "A larger budget: with more passes over the data the order of the arms may change.",
    "Test prompts that are translated or paraphrased from the data: only copies and light edits were looked for.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A contrast and what came of it."""

    arm: str
    against: str
    kind: Kind
    question: str
    difference: float
    """Nats per response token; below 0 the first arm is better."""
    low: float
    high: float
    by_seed: tuple[float, ...]
    seed_sd: float
    """Of the difference from seed to seed."""
    prompt_sd: float
    """Of the difference from prompt to prompt."""
    p_value: float
    p_adjusted: float | None
    """By Holm among the secondary ones, or among the exploratory ones; None for the primary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """An arm at a mark."""

    tokens: int
    """Response tokens used, the seeds' mean."""
    loss: float
    by_seed: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmResult:
    """An arm, all seeds."""

    name: str
    records: int
    """With the first seed."""
    rows: int
    """Records learned from with the first seed, repetitions counted."""
    epochs: tuple[float, ...]
    """By seed: the tokens used by those the arm has."""
    tokens: tuple[int, ...]
    """Response tokens used, by seed."""
    loss: float
    """On the test responses at the end, nats per token, the seeds' mean."""
    by_seed: tuple[float, ...]
    curve: tuple[Point, ...]
    reach: Reach | None
    """Of the loss that the reference arm ends with; None for that arm itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProveResult:
    """Everything that is known at the end."""

    verdict: Verdict
    sentence: str
    smallest_effect: float
    primary: Compared
    contrasts: tuple[Compared, ...]
    """All of them, the primary one first."""
    arms: tuple[ArmResult, ...]
    reference: str
    """The arm whose last loss the others have to reach."""
    recovered: tuple[Recovered, ...]
    facts: Mapping[str, Any]
    protocol_sha256: str
    protocol: Protocol
    attempts: Sequence[Mapping[str, Any]]
    """Other protocols that were tried in this folder, and refused."""
    removed: Sequence[Mapping[str, Any]]
    """Test prompts that were left out, with the record that an arm has seen."""
    not_tested: tuple[str, ...]
    recorded: Mapping[str, Any]
    """Times and names, which are not the result."""

    def json(self) -> bytes:
        """Return the result as a file."""
        return orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2) + b"\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The losses of every run, ready to be compared."""

    scores: Mapping[str, Sequence[Scores]]
    tokens: Numbers
    """[prompts]."""

    def final(self, arm: str) -> Numbers:
        """Return an arm's losses at the end, [seeds, prompts]."""
        return self.at(arm, -1)

    def at(self, arm: str, mark: int) -> Numbers:
        """Return an arm's losses at a mark, [seeds, prompts]."""
        return np.array([run.nats[mark] for run in self.scores[arm]])

    def difference(self, contrast: Contrast) -> Estimate:
        """Return what one arm has over another at the end."""
        return estimate(self.final(contrast.arm) - self.final(contrast.against), self.tokens)


def conclude(prepared: Prepared, protocol: Protocol, scores: Mapping[str, Sequence[Scores]]) -> ProveResult:
    """Return the result of finished runs."""
    design = prepared.design
    table = Table(scores=scores, tokens=np.array([float(one.supervised) for one in prepared.tests]))
    seen = [table.difference(one) for one in design.contrasts]
    verdict = judge(seen[0], protocol.smallest_effect, protocol.level)
    first = design.contrasts[0]
    compared = _adjusted([_compared(*pair) for pair in zip(design.contrasts, seen, strict=True)])
    reference = next(iter(design.arms))
    return ProveResult(
        verdict=verdict,
        sentence=sentence(verdict, first.arm, first.against, seen[0], protocol.smallest_effect),
        smallest_effect=protocol.smallest_effect,
        primary=compared[0],
        contrasts=tuple(compared),
        arms=tuple(_arm(table, name, reference) for name in design.arms),
        reference=reference,
        recovered=_recovered(design, table),
        facts=design.facts,
        protocol_sha256=protocol.sha256,
        protocol=protocol,
        attempts=attempts(prepared.request.out),
        removed=[asdict(one) for one in prepared.removed],
        not_tested=NOT_TESTED,
        recorded=_recorded(prepared, scores),
    )


def _recorded(prepared: Prepared, scores: Mapping[str, Sequence[Scores]]) -> Mapping[str, Any]:
    seconds = sum(run.seconds for runs in scores.values() for run in runs)
    request = prepared.request
    return {
        "training_seconds": round(seconds, 1),
        "base": prepared.plan.base.place.name,
        "test": request.test.name,
        "device": prepared.plan.device.type,
        "precision": prepared.plan.precision,
        "preset": request.preset,
    }


def _compared(contrast: Contrast, seen: Estimate) -> Compared:
    low, high = seen.interval()
    return Compared(
        **asdict(contrast),
        difference=seen.mean,
        low=low,
        high=high,
        by_seed=seen.by_seed,
        seed_sd=float(np.sqrt(seen.seed_variance * len(seen.by_seed))),
        prompt_sd=float(np.sqrt(seen.prompt_variance * seen.prompts)),
        p_value=seen.p_value,
        p_adjusted=None,
    )


def _adjusted(compared: Sequence[Compared]) -> list[Compared]:
    """Adjust the p-values of each kind for their number; the primary one stands alone."""
    names = {one: f"{place}" for place, one in enumerate(compared)}
    p_values: dict[str, float] = {}
    for kind in ("secondary", "exploratory"):
        p_values |= holm({names[one]: one.p_value for one in compared if one.kind == kind})
    return [replace(one, p_adjusted=p_values.get(names[one])) for one in compared]


def _arm(table: Table, name: str, reference: str) -> ArmResult:
    runs = table.scores[name]
    curve = _curve(table, name, reference)
    last = curve[-1]
    return ArmResult(
        name=name,
        records=runs[0].facts.records,
        rows=runs[0].facts.rows,
        epochs=tuple(run.facts.epochs for run in runs),
        tokens=tuple(run.facts.tokens[-1] for run in runs),
        loss=last.loss,
        by_seed=last.by_seed,
        curve=curve,
        reach=None if name == reference else _reach(table, name, reference, last.tokens),
    )


def _curve(table: Table, name: str, reference: str) -> tuple[Point, ...]:
    """Return an arm's course; before the first step every arm is what the reference arm was."""
    runs = table.scores[name]
    own = [
        _point(table, table.at(name, mark), [run.facts.tokens[mark] for run in runs])
        for mark in range(len(runs[0].facts.steps))
    ]
    base = [_point(table, table.at(reference, 0), [0])] if runs[0].facts.steps[0] else []
    return (*base, *own)


def _point(table: Table, nats: Numbers, tokens: Sequence[int]) -> Point:
    losses = nats.sum(1) / table.tokens.sum()
    return Point(tokens=round(np.mean(tokens)), loss=float(losses.mean()), by_seed=tuple(map(float, losses)))


def _reach(table: Table, name: str, reference: str, tokens: int) -> Reach:
    target = table.final(reference)
    points = _curve(table, name, reference)
    marks = [table.at(reference, 0), *(table.at(name, mark) for mark in range(len(points) - 1))]
    return reach([one.tokens / tokens for one in points], [estimate(one - target, table.tokens) for one in marks])


def _recovered(design: Design, table: Table) -> tuple[Recovered, ...]:
    return tuple(
        recovered(gap.percent, table.final(gap.clean), table.final(gap.planted), table.final(gap.curated), table.tokens)
        for gap in design.gaps
    )
