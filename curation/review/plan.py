"""An acceptance plan: how many records are looked at and how many may be bad, fixed and hashed before the first look.

"Review until it looks good" proves nothing: whoever may stop when they please stops at a lucky moment. So the plan says
beforehand which records are drawn, what counts as a defect and when the lot passes; or, with the method `anytime`, pays
for the freedom to stop with a few more records.
"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from curation.review.sampling import Sample
from curation.review.statistics import (
    allowed,
    anytime_sample_size,
    finite_sample_size,
    sample_size,
)
from schemas.codec import adapter, sha256_of
from schemas.errors import InputError
from schemas.record import InstructionRecord
from schemas.step import StepDirectory

Method: TypeAlias = Literal["fixed", "anytime"]
Stratum: TypeAlias = Literal["", "category", "source", "model"]
Outcome: TypeAlias = Literal["passed", "failed", "open", "abandoned"]

SMALL_LOT = 10
"""A lot of fewer than this many samples is counted as it is, without replacement."""
MOST_STRATA = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be shown of a lot, and how."""

    limit: float = 0.02
    """The defect rate that is shown not to be exceeded, 0 to 1."""
    confidence: float = 0.95
    """One-sided: a lot at the limit passes with a chance of at most 1 - confidence."""
    c: int = 3
    """Defects among the drawn records with which the lot still passes."""
    method: Method = "fixed"
    """fixed: all drawn records are looked at; anytime: the review may stop as soon as the evidence suffices."""
    strata: Stratum = ""
    """Draw from each category, source or model in proportion; empty: from all records alike."""
    severities: tuple[str, ...] = ("critical", "major")
    """What counts as a defect; a rejection without a severity always counts."""
    seed: int | None = None
    """Draws the records; None: made of the records' digest and the attempt's number, so that nobody chose it."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if not 0 < self.limit < 1:
            raise InputError(field="limit", expected="a rate between 0 and 1, such as 2%", found=str(self.limit))
        if not 0.5 <= self.confidence < 1:  # noqa: PLR2004  # less is no confidence
            raise InputError(field="confidence", expected="50% or more, less than 100%", found=str(self.confidence))
        if self.c < 0:
            raise InputError(field="c", expected="0 or more", found=str(self.c))
        if self.method == "anytime" and self.strata:
            raise InputError(field="strata", expected="none with the method anytime", found=self.strata)


PRESETS: Mapping[str, Wanted] = {
    "strict": Wanted(),
    "first-pass": Wanted(limit=0.05, c=1),
}
"""Name → plan. strict: 386 records, 3 may be bad, at most 2 %; first-pass: 93 records, 1 may be bad, at most 5 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """The lot: which records the plan is about, by their bytes and by their contents."""

    rows: int
    """Different records; equal ones count once."""
    records_sha256: str
    """Of the step's records.jsonl."""
    ids_sha256: str
    """Over the sorted ids: what anybody can compute again from a release."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """An earlier plan for this data set and what came of it."""

    plan_sha256: str
    records_sha256: str
    rows: int
    seed: int
    n: int
    c: int
    limit: float
    reviewed: int
    defects: int
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that is fixed before the first record is looked at."""

    population: Population
    n: int
    """Records that are drawn; with the method anytime, the most that are looked at."""
    c: int
    limit: float
    confidence: float
    seed: int
    method: Method = "fixed"
    severities: tuple[str, ...] = ()
    strata: Stratum = ""
    allocation: Mapping[str, int] = field(default_factory=dict)
    """Stratum → records drawn from it."""
    stratum_rows: Mapping[str, int] = field(default_factory=dict)
    """Stratum → records in it."""
    drawn: tuple[str, ...] = ()
    """Ids of the drawn records in the order in which they are looked at."""
    attempts: tuple[Attempt, ...] = ()
    """Earlier ones, oldest first."""
    created: str = ""
    """UTC."""
    schema: str = "dolly-plan-1"

    @property
    def sha256(self) -> str:
        """Hash of the whole plan."""
        return sha256_of(adapter(Plan).dump_python(self, mode="json"))

    @property
    def number(self) -> int:
        """Which attempt this is, from 1."""
        return len(self.attempts) + 1

    @property
    def small_lot(self) -> bool:
        """True where drawing without replacement is taken into account."""
        # by the draws that a large lot would need, as when the plan was sized: a small lot's own are fewer
        draws = sample_size(self.limit, self.confidence, self.c)
        return is_small(self.population.rows, draws) and self.method == "fixed" and not self.strata


def is_small(rows: int, n: int) -> bool:
    """Say whether a lot is so small that its size matters."""
    return rows < SMALL_LOT * n


def make_plan(step: StepDirectory, wanted: Wanted, attempts: tuple[Attempt, ...] = ()) -> Plan:
    """Return the plan for a step's records.

    Raises:
        InputError: no records; or, after a failed attempt, the same records or the same seed again.
    """
    population = population_of(step)
    if not population.rows:
        raise InputError(place=step.path, expected="at least one record to draw", found="none")
    seed = wanted.seed if wanted.seed is not None else _seed(population, len(attempts))
    _refuse_second_chance(population, seed, attempts)
    n, c = size_of(wanted, population.rows)
    plan = Plan(
        population=population,
        n=n,
        c=c,
        limit=wanted.limit,
        confidence=wanted.confidence,
        seed=seed,
        method=wanted.method,
        severities=wanted.severities,
        strata=wanted.strata,
        attempts=attempts,
        created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    )
    return draw(plan, step.records())


def size_of(wanted: Wanted, rows: int) -> tuple[int, int]:
    """Return how many records are drawn from a lot of `rows`, and how many of them may be bad."""
    if wanted.method == "anytime":
        return min(rows, anytime_sample_size(wanted.limit, wanted.confidence, wanted.c)), wanted.c
    n = sample_size(wanted.limit, wanted.confidence, wanted.c)
    if not is_small(rows, n) or wanted.strata:
        return min(rows, n), min(wanted.c, allowed(wanted.limit, rows)) if n >= rows else wanted.c
    c = min(wanted.c, allowed(wanted.limit, rows))
    return finite_sample_size(wanted.limit, wanted.confidence, c, rows), c


def draw(plan: Plan, records: Iterable[InstructionRecord]) -> Plan:
    """Return the plan with the ids that its seed draws from the records."""
    stratum_of = {record.id: stratum(record, plan.strata) for record in records}
    sizes = Counter(stratum_of.values())
    if plan.strata and len(sizes) > MOST_STRATA:
        raise InputError(
            field="strata", expected=f"at most {MOST_STRATA} of them", found=f"{len(sizes)} in {plan.strata}"
        )
    shares = allocate(sizes, plan.n)
    samples: dict[str, Sample[str]] = {name: Sample(shares[name], plan.seed) for name in sizes}
    for name, where in stratum_of.items():
        samples[where].offer(name, name)
    told = (shares, dict(sorted(sizes.items()))) if plan.strata else ({}, {})
    drawn = draw_ids((name for sample in samples.values() for name in sample), plan)
    return replace(plan, drawn=drawn, allocation=told[0], stratum_rows=told[1])


def draw_ids(ids: Iterable[str], plan: Plan) -> tuple[str, ...]:
    """Return the ids that the plan's seed draws, in the order in which they are looked at."""
    sample: Sample[str] = Sample(plan.n, plan.seed)
    for name in ids:
        sample.offer(name, name)
    return tuple(sample)


def stratum(record: InstructionRecord, name: Stratum) -> str:
    """Return which stratum a record is in."""
    return {
        "": "",
        "category": record.category,
        "source": record.provenance.source,
        "model": record.provenance.model,
    }[name]


def allocate(sizes: Mapping[str, int], n: int) -> dict[str, int]:
    """Share `n` draws among strata in proportion to their sizes; what is left over goes to the largest remainders."""
    whole = sum(sizes.values())
    n = min(n, whole)
    shares = {name: n * size // whole for name, size in sizes.items()}
    left = sorted(sizes, key=lambda name: (-(n * sizes[name] % whole), name))
    for name in left[: n - sum(shares.values())]:
        shares[name] += 1
    return dict(sorted(shares.items()))


def population_of(step: StepDirectory) -> Population:
    """Return what names a step's records."""
    ids = {record.id for record in step.records()}
    return Population(rows=len(ids), records_sha256=step.records_file.sha256, ids_sha256=ids_digest(ids))


def ids_digest(ids: Iterable[str]) -> str:
    """Return the hash over ids in order, whatever order they come in; equal ones count once."""
    return sha256_of(sorted(set(ids)))


def _seed(population: Population, attempts: int) -> int:
    """Return a seed that nobody chose."""
    return int(sha256_of([population.ids_sha256, attempts])[:8], 16)


def _refuse_second_chance(population: Population, seed: int, attempts: Iterable[Attempt]) -> None:
    """After a failure: another candidate and another seed, or luck is all that is measured."""
    for one in attempts:
        if one.seed == seed:
            raise InputError(field="seed", expected="another than in an earlier attempt", found=str(seed))
        if one.outcome == "failed" and one.records_sha256 == population.records_sha256:
            raise InputError(
                field="records",
                expected="others than those that failed: find what the defects have in common and filter it out",
                found="the same",
            )
