"""Makes one self-contained HTML page of a report's numbers: no script, nothing loaded, untrusted text only as text."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from curation.report.drawings import outcome, report_figures
from curation.report.interactive import charts, charts_json, script_sums, scripts
from curation.report.numbers import Report, Text
from curation.report.score_drawings import scores_words
from curation.report.svg import is_numeric, percent
from curation.review.words import limit_word
from curation.visible import on_one_line, runs
from schemas.codec import dumps

TEMPLATES = Path(__file__).parent / "templates"


def report_html(report: Report, *, interactive: bool = False) -> str:
    """Return the page; an interactive one carries the charts' library within it and still loads nothing."""
    template = _environment().get_template("report.html.j2")
    return template.render(
        report=report,
        figures=report_figures(report),
        outcome=outcome(report),
        charts=charts(report) if interactive else {},
        scores_words=scores_words(report),
        map_words=_map_words(report),
        scripts=scripts() if interactive else (),
        script_sums=script_sums() if interactive else "",
    )


def report_json(report: Report) -> bytes:
    """Return every number of the report, indented for people."""
    return orjson.dumps(asdict(report), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"


def _map_words(report: Report) -> str:
    if report.map is None:
        return ""
    found = report.map
    return (
        f"{len(found.points):,} rows, drawn by seed {found.seed}, by what {found.encoder} makes of their instructions. "
        "Who stands together is alike; how far apart others stand means little. Scroll to come closer."
    )


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
        "charts_json": charts_json,
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
