"""The numbers of the acceptance plan: rates with what they say of the whole, and what the plan lets through."""

from curation.report.counted import Count
from curation.report.numbers import Chance, PlanResult, Rate
from curation.report.profile import ratio, shares
from curation.review.defects import DEFECTS
from curation.review.planning import Looked
from curation.review.statistics import binomial_cdf

STEPS = 40
"""Points of the operating curve."""
BEYOND = 3.0
"""How far the curve is drawn, in limits."""


def plan_result(looked: Looked | None) -> PlanResult | None:
    """Return what came of a plan as a report shows it; None where there was none."""
    if looked is None:
        return None
    plan, found = looked.plan, looked.acceptance
    whole = Rate(
        name="all records",
        reviewed=found.reviewed,
        defects=found.defects,
        rate=ratio(found.defects, found.reviewed),
        low=0.0,
        high=round(found.upper_bound, 6),
    )
    parts = (
        Rate(
            name=one.name,
            reviewed=one.reviewed,
            defects=one.defects,
            rate=ratio(one.defects, one.reviewed),
            low=round(one.low, 6),
            high=round(one.high, 6),
        )
        for one in found.strata
    )
    widest = min(1.0, BEYOND * plan.limit)
    rates = (round(widest * at / STEPS, 6) for at in range(STEPS + 1))
    return PlanResult(
        sentence=found.sentence,
        outcome=found.outcome,
        n=plan.n,
        c=plan.c,
        limit=plan.limit,
        confidence=plan.confidence,
        rates=(whole, *parts),
        curve=tuple(Chance(rate=rate, passes=round(binomial_cdf(plan.c, plan.n, rate), 6)) for rate in rates)
        if plan.method == "fixed"
        else (),
        reasons=tuple(_described(one) for one in shares(found.reasons, found.reviewed)),
    )


def _described(one: Count) -> Count:
    """Return a reviewer's reason with its words."""
    words = DEFECTS[one.key].words if one.key in DEFECTS else one.key.replace("_", " ")
    return Count(key=one.key, count=one.count, share=one.share, words=words)
