"""Makes one self-contained HTML page of a report's numbers: no script, nothing loaded, untrusted text only as text."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from curation.report.figures import (
    BEFORE,
    KEPT,
    LOST,
    Bar,
    Caption,
    Figure,
    Level,
    bars,
    funnel,
    histogram,
    is_numeric,
    percent,
)
from curation.report.numbers import Comparison, Count, Histogram, Report, Text
from curation.review.words import limit_word
from curation.visible import on_one_line, runs
from schemas.codec import dumps

TEMPLATES = Path(__file__).parent / "templates"
COMPARED_MOST = 12
"""Bars of a comparison; its table has more."""
REASONS_MOST = 24
"""Bars of the figure of reasons; its table has them all."""


def report_html(report: Report) -> str:
    """Return the page."""
    template = _environment().get_template("report.html.j2")
    return template.render(report=report, figures=report_figures(report), outcome=_outcome(report))


def report_json(report: Report) -> bytes:
    """Return every number of the report, indented for people."""
    return orjson.dumps(asdict(report), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"


def report_figures(report: Report) -> dict[str, Figure | None]:
    """Return the figures by their key; None where there is nothing to draw."""
    lengths = {f"length-{one.name}": _lengths(one) for one in report.lengths}
    return {
        "funnel": _funnel(report),
        "reasons": _reasons(report),
        "repairs": _repairs(report),
        "flags": _flags(report),
        **lengths,
        "similarity": _similarity(report),
        "categories": _categories(report),
        "first-words": _first_words(report),
        "models": _models(report),
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
    return funnel(Caption("funnel", "Rows by step", f"{_outcome(report)} {_steps_words(report)}"), levels)


def _outcome(report: Report) -> str:
    return f"{report.kept:,} of {report.rows:,} rows were kept ({percent(report.kept_share)})."


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
    marks = [KEPT if one.name == "kept" else LOST for one in data.series]
    return histogram(Caption(f"length-{data.name}", data.name.capitalize(), text), data, marks)


def _similarity(report: Report) -> Figure | None:
    data = report.similarity
    if data is None:
        return None
    limit = ""
    if data.threshold is not None:
        said = f"From the line at {data.threshold:g} on, it is a duplicate unless a closer look tells the two apart."
        limit = f" {said} {data.note}".rstrip()
    text = f"Cosine of each row to the row nearest to it, where one comes near; shares are of each group.{limit}"
    marks = [KEPT if one.name == "kept" else LOST for one in data.series]
    return histogram(Caption("similarity", "Nearest neighbours", text), data, marks)


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


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: Mapping[str, Callable[..., Any]] = {
        "breakable": _breakable,
        "excerpt": _excerpt,
        "limit_word": limit_word,
        "line": on_one_line,
        "number": _number,
        "percent": percent,
        "seconds": _seconds,
        "setting": _setting,
    }
    environment.filters.update(filters)
    environment.tests["numeric"] = is_numeric
    return environment


def _excerpt(text: Text) -> Markup:
    """Return a sampled text with unseen characters shown, the span marked, and what was left out counted."""
    start, end = text.span or (0, 0)
    parts = [_left_out(text.before), _shown(text.text[:start])]
    if text.span:
        parts += [Markup("<mark>"), _shown(text.text[start:end]), Markup("</mark>")]
    return Markup("").join([*parts, _shown(text.text[end:]), _left_out(text.after)])


def _shown(text: str) -> Markup:
    sign = Markup('<span class="unseen" title="{}">{}</span>')
    return Markup("").join(
        sign.format(run.name, run.text) if run.stands_in else escape(run.text) for run in runs(text) if run.text
    )


def _left_out(count: int) -> Markup:
    return Markup('<span class="cut">… {} more characters …</span>').format(f"{count:,}") if count else Markup("")


def _breakable(text: str) -> Markup:
    """Return a text on one line that may be broken after an underscore, as in a code."""
    return Markup("_<wbr>").join(escape(part) for part in on_one_line(text).split("_"))


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.3g}"


def _seconds(value: float | None) -> str:
    """Return a duration for people; nothing for one that was not recorded."""
    minute = 60
    if value is None:
        return ""
    return f"{value:.1f} s" if value < minute else f"{math.floor(value / minute)} min {value % minute:.0f} s"


def _setting(value: object) -> str:
    """Return a setting as it would stand in a recipe."""
    return on_one_line(value if isinstance(value, str) and value else dumps(value).decode())
