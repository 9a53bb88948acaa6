"""What a card says of people's review: the plan's sentence, what was found, how far reviewers agree, every attempt."""

from curation.release.card_head import Facts
from curation.release.markdown import code, inline, table
from curation.report.numbers import Report
from curation.review.acceptance import Acceptance, Agreement, at_most
from curation.review.plan import Attempt


def review_part(facts: Facts) -> str:
    """Return the section."""
    parts = ["### Review", review_sentence(facts.report) if facts.looked is None else _accepted(facts)]
    return "\n\n".join(parts)


def _accepted(facts: Facts) -> str:
    gate, looked = facts.release.gate, facts.looked
    assert looked is not None
    found = looked.acceptance
    parts = [inline(gate.sentence, most=1000)]
    if gate.problems:
        parts.append("The gate was not passed: " + "; ".join(inline(one, most=300) for one in gate.problems) + ".")
    parts += [
        _found(found),
        _strata(found),
        _agreement(found.agreement),
        _canaries(found),
        _attempts(looked.plan.attempts),
    ]
    parts.append("`review/` holds the plan, every decision and what follows; `dolly-data release check` repeats it.")
    return "\n\n".join(part for part in parts if part)


def _found(found: Acceptance) -> str:
    if not found.reasons and not found.severities:
        return ""
    rows = [(code(one), number) for one, number in (*found.severities.items(), *found.reasons.items())]
    text = "What was wrong with the records that were rejected or corrected:"
    return f"{text}\n\n{table(('severity or reason', 'records'), rows)}"


def _strata(found: Acceptance) -> str:
    if not found.strata:
        return ""
    rows = [
        (code(one.name or "none"), one.rows, one.reviewed, one.defects, f"{at_most(one.low)} to {at_most(one.high)}")
        for one in found.strata
    ]
    return table(("part", "records", "looked at", "defects", "its rate, two-sided"), rows)


def _agreement(found: Agreement | None) -> str:
    if found is None:
        return ""
    rows = [
        ("first rejects", found.both_reject, found.first_only),
        ("first accepts", found.second_only, found.both_accept),
    ]
    kappa = "not defined"
    if found.kappa is not None:
        kappa = f"{found.kappa:.2f} (95 % interval {found.kappa_low:.2f} to {found.kappa_high:.2f})"
    alpha = "not defined" if found.alpha is None else f"{found.alpha:.2f}"
    rejects = "not defined" if found.on_rejects is None else f"{found.on_rejects:.2f}"
    return (
        "A second person, who did not see the first one's decisions:\n\n"
        f"{table(('', 'second rejects', 'second accepts'), rows)}\n\n"
        f"They agree on {100 * found.observed:.1f} % of the records; kappa {kappa}; Krippendorff's alpha {alpha}; "
        f"agreement on rejections {rejects}."
    )


def _canaries(found: Acceptance) -> str:
    if not found.canaries:
        return ""
    return (
        f"{found.canaries} records spoilt on purpose were shown among the others, to measure the reviewer, who found "
        f"fault with {found.caught} of them. None of them is in the data."
    )


def _attempts(attempts: tuple[Attempt, ...]) -> str:
    if not attempts:
        return ""
    rows = [
        (
            str(at),
            one.rows,
            f"{one.n:,}, at most {one.c}",
            one.reviewed,
            one.defects,
            one.outcome,
            code(one.records_sha256[:8]),
        )
        for at, one in enumerate(attempts, 1)
    ]
    head = ("attempt", "records", "plan", "looked at", "defects", "outcome", "records' sha256")
    return f"Earlier attempts:\n\n{table(head, rows)}"


def review_sentence(report: Report) -> str:
    """Return what people looked at without a plan, in a sentence that claims no more than was done."""
    counts = report.review
    if counts is None or not counts.looked_at:
        return "No person has reviewed these records."
    of = f" of {counts.population:,}" if counts.population else ""
    seeds = f", drawn by seed {', '.join(map(str, counts.seeds))}," if counts.seeds else ""
    text = (
        f"People looked at {counts.looked_at:,}{of} records{seeds} and accepted {counts.accepted:,}, "
        f"rejected {counts.rejected:,} and corrected {counts.edited:,}."
    )
    text += f" {counts.undecided:,} that were drawn stayed undecided." if counts.undecided else ""
    if judged := counts.drops_right + counts.drops_wrong:
        text += f" Of {judged:,} rejected rows they judged {counts.drops_wrong:,} wrongly rejected."
    return f"{text} All other records were checked by programs only."
