"""Holds what people decided against the plan: how many defects, what that says of the whole lot, passed or not."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from curation.review.decisions import Decision
from curation.review.plan import Attempt, Outcome, Plan
from curation.review.reliability import Table, krippendorff_alpha, table_of
from curation.review.statistics import (
    allowed,
    anytime_evidence,
    anytime_upper_bound,
    finite_upper_bound,
    interval,
    upper_bound,
)
from schemas.errors import InputError
from schemas.record import TEXT_FIELDS, content_id

SHOWN_STRATUM = 30
"""Records of a stratum from which on its own rate is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one person said of one drawn record."""

    id: str
    decision: str
    """accept, reject or edit."""
    severity: str = ""
    reasons: tuple[str, ...] = ()
    edited_id: str = ""
    """The id of the corrected record, for an edit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StratumResult:
    """What was found in one stratum: told, not decided upon."""

    name: str
    rows: int
    reviewed: int
    defects: int
    low: float
    high: float
    """Two-sided interval of its rate, at the plan's confidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How far a second person, who did not see the first one's decisions, agrees."""

    both_reject: int
    first_only: int
    second_only: int
    both_accept: int
    observed: float
    kappa: float | None
    """None where chance alone agrees on all."""
    kappa_low: float | None
    kappa_high: float | None
    alpha: float | None
    on_rejects: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """What came of a plan."""

    plan_sha256: str
    outcome: Outcome
    reviewed: int
    defects: int
    """Rejected or corrected, of a severity that counts, or doubted by one of two people."""
    minor: int
    """Rejected or corrected for something that does not count."""
    undecided: int
    upper_bound: float
    """One-sided, at the plan's confidence; 1 where nothing was looked at."""
    method: str
    """How the bound was computed."""
    severities: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)
    strata: tuple[StratumResult, ...] = ()
    agreement: Agreement | None = None
    canaries: int = 0
    """Records spoilt on purpose that the reviewer was shown among the others."""
    caught: int = 0
    """Those of them with which the reviewer found fault."""
    attempts: tuple[Attempt, ...] = ()
    """Earlier ones for this data set, oldest first."""
    sentence: str = ""
    """What may be claimed."""
    schema: str = "dolly-acceptance-1"

    @property
    def passed(self) -> bool:
        """Say whether the gate is open."""
        return self.outcome == "passed"


def verdicts_of(decisions: Iterable[Decision], plan: Plan) -> dict[str, Verdict]:
    """Return what was decided about the plan's records.

    A decision counts where its line names the plan: one that was made while looking for bad records says nothing about
    the others.

    Raises:
        InputError: a decision names the plan and is about a record that the plan did not draw.
    """
    drawn, found = set(plan.drawn), {}
    for one in decisions:
        if not one.decision or one.drawn.get("plan") != plan.sha256:
            continue
        if one.id not in drawn:
            raise InputError(field="id", expected="a record that the plan drew", found=one.id)
        edited = content_id(*(one.texts[name] for name in TEXT_FIELDS)) if one.decision == "edit" else ""
        found[one.id] = Verdict(
            id=one.id, decision=one.decision, severity=one.severity, reasons=one.reasons, edited_id=edited
        )
    return found


def judge(
    plan: Plan,
    first: Mapping[str, Verdict],
    second: Mapping[str, Verdict] | None = None,
    settled: Mapping[str, Verdict] | None = None,
    strata: Mapping[str, str] | None = None,
) -> Acceptance:
    """Return what the decisions say of the lot.

    Args:
        plan: What was fixed beforehand.
        first: What the reviewer decided, by id.
        second: What another person decided about some of the same records, blind to the first.
        settled: What came of talking about those on which the two differed.
        strata: The stratum of each drawn record, by id.
    """
    said = {name: _said(name, first, second or {}, settled or {}) for name in _looked_at(plan, first)}
    bad = {name: any(_is_defect(plan, one) for one in words) for name, words in said.items()}
    k, n = sum(bad.values()), len(bad)
    bound, method = bound_of(plan, k, n)
    spoiled = [one for name in bad if (one := first[name]).decision != "accept"]
    result = Acceptance(
        plan_sha256=plan.sha256,
        outcome=_outcome(plan, k, n),
        reviewed=n,
        defects=k,
        minor=sum(not bad[one.id] for one in spoiled),
        undecided=len(plan.drawn) - n,
        upper_bound=bound,
        method=method,
        severities=dict(sorted(Counter(one.severity or "not stated" for one in spoiled).items())),
        reasons=dict(Counter(reason for one in spoiled for reason in one.reasons).most_common()),
        strata=_strata(plan, bad, strata or {}),
        agreement=agreement_of(first, second) if second else None,
        attempts=plan.attempts,
    )
    return replace(result, sentence=sentence(plan, result))


def bound_of(plan: Plan, k: int, n: int) -> tuple[float, str]:
    """Return the upper bound on the defect rate after `k` defects in `n`, and the name of the method."""
    if not n:
        return 1.0, "nothing was looked at"
    if n >= plan.population.rows:
        return k / n, "every record was looked at"
    if plan.method == "anytime":
        return anytime_upper_bound(k, n, plan.confidence), "anytime-valid beta mixture"
    if plan.small_lot:
        return finite_upper_bound(k, n, plan.population.rows, plan.confidence), "hypergeometric"
    return upper_bound(k, n, plan.confidence), "Clopper-Pearson"


def attempt_of(plan: Plan, acceptance: Acceptance) -> Attempt:
    """Return a plan and what came of it as the next plan lists it; a plan that was left unfinished is abandoned."""
    return Attempt(
        plan_sha256=plan.sha256,
        records_sha256=plan.population.records_sha256,
        rows=plan.population.rows,
        seed=plan.seed,
        n=plan.n,
        c=plan.c,
        limit=plan.limit,
        reviewed=acceptance.reviewed,
        defects=acceptance.defects,
        outcome="abandoned" if acceptance.outcome == "open" else acceptance.outcome,
    )


def agreement_of(first: Mapping[str, Verdict], second: Mapping[str, Verdict]) -> Agreement:
    """Return how far two people agree on the records that both decided about."""
    both = sorted(first.keys() & second.keys())
    said = [(first[name].decision != "accept", second[name].decision != "accept") for name in both]
    table: Table = table_of(said)
    low, high = table.kappa_interval()
    alpha = krippendorff_alpha([("bad" if one else "good", "bad" if other else "good") for one, other in said])
    return Agreement(
        both_reject=table.both_reject,
        first_only=table.first_only,
        second_only=table.second_only,
        both_accept=table.both_accept,
        observed=_known(table.observed) or 0.0,
        kappa=_known(table.kappa),
        kappa_low=_known(low),
        kappa_high=_known(high),
        alpha=_known(alpha),
        on_rejects=_known(table.on_rejects),
    )


def sentence(plan: Plan, found: Acceptance) -> str:
    """Return what may be claimed of the lot, in a sentence that is computed and never typed."""
    lot = f"{plan.population.rows:,} (records {plan.population.records_sha256[:8]})"
    drawn = f"{found.reviewed:,} records drawn by seed {plan.seed} from {lot}"
    defects = defects_words(found.defects)
    rate = f"defect rate at most {at_most(found.upper_bound)} (one-sided {100 * plan.confidence:.4g} %, {found.method})"
    until = "looked at until the evidence sufficed" if plan.method == "anytime" else f"at most {defects_words(plan.c)}"
    rule = f"the plan ({plan.n:,} records, {until}, limit {at_most(plan.limit)}) was fixed before review"
    total = max(plan.number, 1)
    return f"{drawn}; {defects}; {rate}; {rule}: {found.outcome.upper()}; attempt {plan.number} of {total}."


def defects_words(number: int) -> str:
    """Return a number of defects in words."""
    return f"{number} defect" if number == 1 else f"{number} defects"


def at_most(rate: float) -> str:
    """Return a rate in per cent, rounded up: a bound must not become better by rounding."""
    return f"{math.ceil(round(rate * 1e4, 6)) / 100:g} %"


def _looked_at(plan: Plan, first: Mapping[str, Verdict]) -> Sequence[str]:
    """Return the ids that count. An anytime review is read in its order, up to the first record that was left out."""
    if plan.method == "fixed":
        return [name for name in plan.drawn if name in first]
    gap = next((at for at, name in enumerate(plan.drawn) if name not in first), len(plan.drawn))
    return plan.drawn[:gap]


def _strata(plan: Plan, bad: Mapping[str, bool], stratum_of: Mapping[str, str]) -> tuple[StratumResult, ...]:
    """Return what was found in each stratum of which enough was looked at to tell."""
    found: dict[str, list[bool]] = defaultdict(list)
    for name, is_bad in bad.items():
        if name in stratum_of:
            found[stratum_of[name]].append(is_bad)
    return tuple(_stratum(plan, name, said) for name, said in sorted(found.items()) if len(said) >= SHOWN_STRATUM)


def _stratum(plan: Plan, name: str, said: Sequence[bool]) -> StratumResult:
    low, high = interval(sum(said), len(said), plan.confidence)
    rows = plan.stratum_rows[name]
    return StratumResult(name=name, rows=rows, reviewed=len(said), defects=sum(said), low=low, high=high)


def _said(name: str, *rounds: Mapping[str, Verdict]) -> list[Verdict]:
    """Return what counts of a record: what was settled; until it is, a doubt of one of two counts against the lot."""
    first, second, settled = rounds
    return [settled[name]] if name in settled else [one[name] for one in (first, second) if name in one]


def _is_defect(plan: Plan, said: Verdict) -> bool:
    """Say whether somebody found fault with a record, of a severity that counts."""
    return said.decision != "accept" and (not said.severity or said.severity in plan.severities)


def _outcome(plan: Plan, k: int, n: int) -> Outcome:
    if plan.method == "anytime" and _evident(plan, k, n):
        return "passed"
    # of a lot that is looked at whole, what it holds is counted; nothing has to be concluded
    counted = plan.method == "anytime" and len(plan.drawn) >= plan.population.rows
    if k > (allowed(plan.limit, plan.population.rows) if counted else plan.c):
        return "failed"
    if n < len(plan.drawn):
        return "open"
    return "passed" if plan.method == "fixed" or counted else "failed"


def _evident(plan: Plan, k: int, n: int) -> bool:
    """Say whether the evidence for a lot below the limit suffices."""
    needed = (1 - 1e-9) / (1 - plan.confidence)
    return k < plan.limit * n and anytime_evidence(k, n, plan.limit) >= needed


def _known(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6)
