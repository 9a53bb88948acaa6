"""Turns untrusted text into HTML that is only text: escaped, unseen characters shown, found places marked."""

from collections.abc import Iterable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from curation.visible import on_one_line, runs

Span = tuple[int, int]

TEMPLATES = Path(__file__).parent / "templates"
LONGEST = 20_000
"""Characters of a field that a screen shows; the rest is counted."""


def environment(*folders: Path) -> Environment:
    """Return what renders the templates of these folders, the first that has one: all text is escaped."""
    made = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"shown": shown, "line": line, "number": lambda value: f"{value:,}"}
    return made


def shown(text: str, spans: Iterable[Span] = ()) -> Markup:
    """Return a text with its spans marked and its unseen characters made visible."""
    parts, at = [], 0
    for start, end in _apart(spans, len(text)):
        parts += [_visible(text[at:start]), Markup("<mark>"), _visible(text[start:end]), Markup("</mark>")]
        at = end
    whole = Markup("").join([*parts, _visible(text[at : max(at, LONGEST)])])
    more = len(text) - max(at, LONGEST)
    return whole + Markup('<span class="cut">… {} more characters</span>').format(f"{more:,}") if more > 0 else whole


def line(text: str) -> str:
    """Return a text on one line, unseen characters made visible; the template escapes it."""
    return on_one_line(text)


def score(value: float) -> str:
    """Return a score as it is read: two decimals without the leading zero, like a correlation."""
    return f"{value:.2f}".replace("0.", ".", 1) if 0 <= value < 1 else f"{value:g}"


def _apart(spans: Iterable[Span], length: int) -> list[Span]:
    """Return the spans that lie within the text, in order, those that overlap joined."""
    joined: list[Span] = []
    for start, end in sorted(span for span in spans if 0 <= span[0] < span[1] <= length):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _visible(text: str) -> Markup:
    sign = Markup('<span class="unseen" title="{}">{}</span>')
    parts = (sign.format(run.name, run.text) if run.stands_in else escape(run.text) for run in runs(text))
    return Markup("").join(parts)
