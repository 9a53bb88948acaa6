"""Which figures a report has, what each is called, and which of the report's numbers it shows."""

from collections.abc import Sequence

from curation.report.counted import Comparison, Count, Histogram
from curation.report.figures import BEFORE, KEPT, LOST, Bar, Level, bars, funnel, histogram
from curation.report.numbers import PlanResult, Report
from curation.report.plots import curve, intervals
from curation.report.score_drawings import score_figures
from curation.report.svg import Caption, Figure, percent

COMPARED_MOST = 12
"""Bars of a comparison; its table has more."""
MARKS = {"came in": BEFORE, "kept": KEPT, "rejected": LOST}
"""Group → the class that gives it its colour."""
REASONS_MOST = 24
"""Bars of the figure of reasons; its table has them all."""


def report_figures(report: Report) -> dict[str, Figure | None]:
    """Return the figures by their key; None where there is nothing to draw."""
    lengths = {f"length-{one.name}": _lengths(one) for one in report.lengths}
    return {
        "funnel": _funnel(report),
        "reasons": _reasons(report),
        "repairs": _repairs(report),
        "flags": _flags(report),
        **lengths,
        **score_figures(report),
        "similarity": _similarity(report),
        "categories": _categories(report),
        "first-words": _first_words(report),
        "models": _models(report),
        "verbs": _verbs(report),
        **_plan_figures(report.plan),
    }


def _funnel(report: Report) -> Figure:
    levels = [
        Level(
            label=one.stage,
            note=f"{one.kept:,} kept, {one.rejected:,} rejected" if one.rejected else f"all {one.kept:,} kept",
            rows=one.rows,
            kept=one.kept,
        )
        for one in report.steps
    ]
    return funnel(Caption("funnel", "Rows by step", f"{outcome(report)} {_steps_words(report)}"), levels)


def _steps_words(report: Report) -> str:
    return " ".join(f"{one.stage} rejected {one.rejected:,} of {one.rows:,}." for one in report.steps)


def _reasons(report: Report) -> Figure | None:
    found = [(one.stage, reason) for one in report.steps for reason in one.reasons]
    found.sort(key=lambda pair: -pair[1].count)
    if not found:
        return None
    text = "Why rows were rejected, commonest first. A row with two reasons counts under both."
    more = len(found) - REASONS_MOST
    text += f" The bars show the first {REASONS_MOST} of {len(found)}; the table has them all." if more > 0 else ""
    return bars(
        Caption("reasons", "Reasons for rejection", text),
        [(LOST, "rejected")],
        [_code_bar(reason, stage) for stage, reason in found[:REASONS_MOST]],
        ("step", "code", "what it means", "rows", "of the step's rows"),
        tuple((stage, one.key, one.words, one.count, percent(one.share)) for stage, one in found),
    )


def _repairs(report: Report) -> Figure | None:
    text = "Kept records that were changed, by what was wrong with them. The old text stands in each record."
    return _codes(Caption("repairs", "Repairs", text), report.repairs)


def _flags(report: Report) -> Figure | None:
    text = "Kept records about which a check said something without rejecting them."
    return _codes(Caption("flags", "Flags", text), report.flags)


def _codes(caption: Caption, counts: Sequence[Count]) -> Figure | None:
    if not counts:
        return None
    rows = tuple((one.key, one.words, one.count, percent(one.share)) for one in counts)
    data = [_code_bar(one) for one in counts]
    return bars(caption, [(KEPT, "kept")], data, ("code", "what it means", "records", "of the kept"), rows)


def _code_bar(one: Count, stage: str = "") -> Bar:
    note = f"{one.count:,}" + (f" in {stage}" if stage else f", {percent(one.share)}")
    return Bar(label=one.key.replace("_", " "), values=(one.count,), notes=(note,))


def _lengths(data: Histogram) -> Figure:
    medians = ", ".join(f"{one.name} {one.median:g}" for one in data.series)
    text = (
        f"Words in the {data.name}. Median: {medians or 'no rows'}. Shares are of each group; the axis is logarithmic."
    )
    marks = [MARKS[one.name] for one in data.series]
    return histogram(Caption(f"length-{data.name}", data.name.capitalize(), text), data, marks)


def _similarity(report: Report) -> Figure | None:
    data = report.similarity
    if data is None:
        return None
    limit = ""
    if data.threshold is not None:
        said = f"From the line at {data.threshold:g} on, it is a duplicate unless a closer look tells the two apart."
        limit = f" {said} {_precision_words(report) or data.note}".rstrip()
    text = f"Cosine of each row to the row nearest to it, where one comes near; shares are of each group.{limit}"
    marks = [MARKS[one.name] for one in data.series]
    return histogram(Caption("similarity", "Nearest neighbours", text), data, marks)


def _precision_words(report: Report) -> str:
    found = report.precision
    if found is None:
        return ""
    interval = f"95 % interval {percent(found.low)} to {percent(found.high)}"
    return (
        f"Of {found.pairs:,} labelled pairs there, {percent(found.rate)} were rejected rightly ({interval}, weighted)."
    )


def _categories(report: Report) -> Figure | None:
    if not any(one.key for one in report.categories.rows):
        return None
    text = "Share of each category among the rows that came in and among the records that were kept."
    return _compared(Caption("categories", "Categories", text), report.categories, "category")


def _first_words(report: Report) -> Figure | None:
    if not any(one.key for one in report.first_words.rows):
        return None
    text = 'What instructions ask for: their first word, past "please", "can you" and the like.'
    return _compared(Caption("first-words", "First words", text), report.first_words, "word")


def _verbs(report: Report) -> Figure | None:
    if not report.verbs:
        return None
    rows = tuple(
        (one.verb, thing.key, thing.count, percent(thing.share)) for one in report.verbs for thing in one.objects
    )
    data = [
        Bar(
            label=f"{one.verb}: {', '.join(thing.key for thing in one.objects)}",
            values=(one.count,),
            notes=(f"{one.count:,}",),
        )
        for one in report.verbs[:COMPARED_MOST]
    ]
    text = (
        "The commonest first words of the kept records, each with what it is mostly done to. By rule: the first word, "
        "and the first after it that is no article or the like; no grammar is read."
    )
    caption = Caption("verbs", "What is asked for", text)
    return bars(caption, [(KEPT, "kept")], data, ("verb", "object", "records", "of the verb's"), rows)


def _plan_figures(plan: PlanResult | None) -> dict[str, Figure | None]:
    """Return what came of the acceptance plan: rates with their intervals, the operating curve, what was wrong."""
    if plan is None:
        return {}
    confidence = f"{100 * plan.confidence:g} %"
    rates = Caption(
        "rates",
        "Defects found, and what they say of all records",
        f"The dot is the rate among the {plan.rates[0].reviewed:,} records that were looked at. The line runs to the "
        f"highest rate of all records that this does not rule out with {confidence} confidence; for parts it is the "
        f"two-sided interval. The limit is {100 * plan.limit:g} %.",
    )
    passes = Caption(
        "curve",
        "What the plan lets through",
        f"How likely a lot passes {plan.n:,} records of which {plan.c} may be defective, by the true rate of its "
        f"defects. The limit is {100 * plan.limit:g} %.",
    )
    reasons = Caption("found", "What was wrong", "Defects of the records that were looked at.")
    rows = tuple((one.key, one.words, one.count, percent(one.share)) for one in plan.reasons)
    found = [Bar(label=one.words, values=(one.count,), notes=(f"{one.count:,}",)) for one in plan.reasons]
    head = ("code", "what it means", "records", "of those looked at")
    return {
        "rates": intervals(rates, plan.rates, plan.limit),
        "curve": curve(passes, plan.curve, plan.limit) if plan.curve else None,
        "found": bars(reasons, [(LOST, "found")], found, head, rows) if found else None,
    }


def _models(report: Report) -> Figure | None:
    if not any(one.key for one in report.models):
        return None
    rows = tuple((one.key or "not known", one.count, percent(one.share)) for one in report.models)
    data = [Bar(label=str(row[0]), values=(row[1],), notes=(f"{row[1]:,}, {row[2]}",)) for row in rows]
    caption = Caption("models", "Models", "Which models wrote the kept records.")
    return bars(caption, [(KEPT, "kept")], data, ("model", "records", "share"), rows)


def _compared(caption: Caption, found: Comparison, what: str) -> Figure:
    rows = [*found.rows, *([found.others] if found.others else [])]
    shown = found.rows[:COMPARED_MOST]
    if len(rows) > len(shown):
        text = f"{caption.description} The bars show the commonest {len(shown)}; the table has more."
        caption = caption._replace(description=text)
    data = [
        Bar(
            label=one.key or f"no {what}",
            values=(one.before_share, one.after_share),
            notes=(percent(one.before_share), percent(one.after_share)),
        )
        for one in shown
    ]
    cells = tuple(
        (one.key or f"no {what}", one.before, percent(one.before_share), one.after, percent(one.after_share))
        for one in rows
    )
    columns = (what, "came in", "share", "kept", "share")
    return bars(caption, [(BEFORE, "came in"), (KEPT, "kept")], data, columns, cells)


def outcome(report: Report) -> str:
    """Return what came of the rows, in a sentence."""
    return f"{report.kept:,} of {report.rows:,} rows were kept ({percent(report.kept_share)})."
