"""Draws figures as SVG: bars, histograms and funnels, each with title, description and its data as a table.

Widths are percentages and text keeps its size, so that a figure is as readable on a phone as on a wide screen. Colours
are CSS custom properties with light defaults; the page that holds the figure sets them for light and dark.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import NamedTuple, TypeAlias

from markupsafe import Markup

from curation.report.numbers import Histogram
from curation.visible import on_one_line

Cell: TypeAlias = str | int | float

LABEL_MOST = 46
"""Characters of a label; more would not fit on a phone."""
WIDEST = 70.0
"""Per cent of the width that the longest bar takes; its number stands after it."""
FUNNEL_GAP, FUNNEL_BAR = 26, 20
"""Pixels of a funnel's label and of its bar."""
LEAST = 0.4
"""Per cent of the width that the shortest bar takes, if it is not nothing."""
PLOT_HEIGHT = 150
"""Pixels of a histogram between its axis and its top."""
TICKS_MOST = 7
"""Numbers under a histogram's axis; more would not fit on a phone."""
KEPT, LOST, BEFORE = "kept", "lost", "before"
"""The classes that give a mark its colour."""


class Caption(NamedTuple):
    """What a figure is called, and what it shows in a sentence."""

    key: str
    """Names the figure within its page."""
    title: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A drawing and the numbers it shows."""

    caption: Caption
    svg: Markup
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One thing, and a length for each series."""

    label: str
    values: tuple[float, ...]
    notes: tuple[str, ...]
    """What stands after each bar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One step of a funnel."""

    label: str
    note: str
    rows: int
    kept: int


def bars(
    caption: Caption,
    marks: Sequence[tuple[str, str]],
    data: Sequence[Bar],
    columns: Sequence[str],
    rows: tuple[tuple[Cell, ...], ...] = (),
) -> Figure:
    """Draw horizontal bars; `marks` are class and legend of each series, `rows` the table if it says more."""
    most = max((value for bar in data for value in bar.values), default=0) or 1
    parts, y = [*_legend(marks)] if len(marks) > 1 else [], 30 if len(marks) > 1 else 4
    for bar in data:
        parts.append(_text(0, y + 12, clipped(bar.label), "label"))
        y += 18
        for (mark, _), value, note in zip(marks, bar.values, bar.notes, strict=True):
            width = WIDEST * value / most
            parts += [_rect(0, y, width, 12, mark=mark), _text(width, y + 10, note, "note", dx=6)]
            y += 15
        y += 7
    rows = rows or tuple((bar.label, *bar.notes) for bar in data)
    return _figure(caption, (parts, y), columns, rows)


def funnel(caption: Caption, levels: Sequence[Level]) -> Figure:
    """Draw how many rows each step kept, each bar as wide as its rows are of the first step's."""
    most = max((level.rows for level in levels), default=0) or 1
    parts, y = [*_legend(((KEPT, "kept"), (LOST, "rejected")))], 26
    for at, level in enumerate(levels):
        kept, whole = 100 * level.kept / most, 100 * level.rows / most
        parts += [_text(0, y + 16, clipped(level.label), "label strong"), _text(100, y + 16, level.note, "note end")]
        y += FUNNEL_GAP
        parts += [_rect(0, y, 100, FUNNEL_BAR, mark="track"), _rect(0, y, kept, FUNNEL_BAR, mark=KEPT)]
        parts += [_rect(min(kept, 100 - LEAST), y, whole - kept, FUNNEL_BAR, mark=LOST)]
        y += FUNNEL_BAR
        if at + 1 < len(levels):
            parts.insert(0, _rect(0, y, kept, FUNNEL_GAP, mark="flow"))
    rows = tuple((level.label, level.rows, level.kept, level.rows - level.kept) for level in levels)
    return _figure(caption, (parts, y + 4), ("step", "rows", "kept", "rejected"), rows)


def histogram(caption: Caption, data: Histogram, marks: Sequence[str]) -> Figure:
    """Draw each series' shares: the first as filled bars, the others as outlines over them."""
    most = max((share for one in data.series for share in one.shares), default=0) or 1
    wide = 100 / (len(data.edges) - 1)
    legend = [(mark, f"{one.total:,} {one.name}") for mark, one in zip(marks, data.series, strict=True)]
    top = 48
    parts = [*_legend(legend), _line(0, top, 100, top, "grid"), _text(0, top - 5, percent(most), "tick")]
    for number, (mark, one) in enumerate(zip(marks, data.series, strict=True)):
        heights = [PLOT_HEIGHT * share / most for share in one.shares]
        parts += _outline(heights, top, mark) if number else _columns(heights, wide, top, mark)
    bottom = top + PLOT_HEIGHT
    parts += [_line(0, bottom, 100, bottom, "axis"), *_ticks(data.edges, wide, bottom)]
    parts += _threshold(data, top)
    parts.append(_text(100, bottom + 34, f"{data.unit} →", "tick end"))
    columns = (data.unit, *(f"{one.name} {what}" for one in data.series for what in ("rows", "share")))
    return _figure(caption, (parts, bottom + 42), columns, _bins(data))


def clipped(text: str) -> str:
    """Return a label on one line, short enough for a phone."""
    text = on_one_line(text)
    return text if len(text) <= LABEL_MOST else text[: LABEL_MOST - 1] + "…"


def is_numeric(cell: Cell) -> bool:
    """Say whether a table sets a cell to the right."""
    return not isinstance(cell, str) or cell.endswith(" %")


def percent(share: float) -> str:
    """Return a share in words: never 0 % for something that is there, never 100 % for something that is not all."""
    if 0 < share < 0.001:  # noqa: PLR2004  # the smallest share that one decimal shows
        return "< 0.1 %"
    return "> 99.9 %" if 0.9995 <= share < 1 else f"{100 * share:.1f} %"  # noqa: PLR2004  # what would round to 100


def number(value: float) -> str:
    """Return an edge or threshold without needless digits."""
    return f"{int(value):,}" if value == int(value) else f"{value:g}"


def _bins(data: Histogram) -> tuple[tuple[Cell, ...], ...]:
    """Return the table of a histogram, without the bins at its ends that hold nothing."""
    rows = []
    for at, (low, high) in enumerate(zip(data.edges, data.edges[1:], strict=False)):
        whole = low == int(low) and high == int(high)
        name = number(low) if whole and high - low == 1 else f"{number(low)} to {number(high - 1 if whole else high)}"
        cells = [cell for one in data.series for cell in (one.counts[at], percent(one.shares[at]))]
        rows.append((name, *cells))
    return tuple(rows)


def _columns(heights: Sequence[float], wide: float, top: int, mark: str) -> list[str]:
    bottom = top + PLOT_HEIGHT
    return [
        _rect(at * wide + 0.06 * wide, bottom - height, 0.88 * wide, height, mark=mark)
        for at, height in enumerate(heights)
        if height
    ]


def _outline(heights: Sequence[float], top: int, mark: str) -> list[str]:
    """Draw a step line; a nested drawing stretches with the width while its stroke keeps its own."""
    points = " ".join(f"{at + side},{PLOT_HEIGHT - height:.2f}" for at, height in enumerate(heights) for side in (0, 1))
    inner = f'<polyline class="outline {mark}" points="{points}" vector-effect="non-scaling-stroke"/>'
    box = f'viewBox="0 0 {len(heights)} {PLOT_HEIGHT}" preserveAspectRatio="none" overflow="visible"'
    return [f'<svg x="0" y="{top}" width="100%" height="{PLOT_HEIGHT}" {box}>{inner}</svg>']


def _ticks(edges: Sequence[float], wide: float, bottom: int) -> Iterable[str]:
    """Label as many edges as fit; the first and the last lean inwards."""
    step = max(1, -(-(len(edges) - 1) // (TICKS_MOST - 1)))
    step += step % 2 if step > 1 else 0  # every other edge is a round number
    for at in range(0, len(edges), step):
        side = "" if at == 0 else "end" if at == len(edges) - 1 else "middle"
        yield _text(at * wide, bottom + 16, number(edges[at]), f"tick {side}".strip())
        yield _line(at * wide, bottom, at * wide, bottom + 4, "axis")


def _threshold(data: Histogram, top: int) -> list[str]:
    low, high = data.edges[0], data.edges[-1]
    if data.threshold is None or not low <= data.threshold <= high:
        return []
    at = 100 * (data.threshold - low) / (high - low)
    middle = 50.0
    label = _text(
        at,
        top + 13,
        f"limit {number(data.threshold)}",
        "tick end" if at > middle else "tick",
        dx=4 if at <= middle else -4,
    )
    return [_line(at, top, at, top + PLOT_HEIGHT, "limit"), label]


def _legend(marks: Sequence[tuple[str, str]]) -> list[str]:
    """Set the legend on one line; widths of text can only be guessed, a little generously."""
    parts, x = [], 0
    for mark, name in marks:
        name = clipped(name)  # noqa: PLW2901  # the same name, as it is shown
        parts.append(f'<rect class="{mark}" x="{x}" y="3" width="12" height="12" rx="2"/>')
        parts.append(f'<text class="tick" x="{x + 18}" y="13">{_escaped(name)}</text>')
        x += 44 + 7 * len(name)
    return parts


def _figure(
    caption: Caption, drawn: tuple[Sequence[str], float], columns: Sequence[str], rows: tuple[tuple[Cell, ...], ...]
) -> Figure:
    (parts, height), key = drawn, caption.key
    head = (
        f'<svg class="figure" xmlns="http://www.w3.org/2000/svg" width="100%" height="{height:g}" role="img" '
        f'aria-labelledby="{key}-title {key}-desc"><title id="{key}-title">{_escaped(caption.title)}</title>'
        f'<desc id="{key}-desc">{_escaped(caption.description)}</desc>'
    )
    svg = Markup(head + "".join(parts) + "</svg>")  # noqa: S704  # every text in it went through _escaped
    return Figure(caption=caption, svg=svg, columns=tuple(columns), rows=rows)


def _rect(x: float, y: float, width: float, height: float, *, mark: str) -> str:
    """Draw a rectangle; what is there at all can be seen."""
    wide = max(width, LEAST) if width else 0
    return f'<rect class="{mark}" x="{x:.3f}%" y="{y:.2f}" width="{wide:.3f}%" height="{height:.2f}"/>'


def _line(x1: float, y1: float, x2: float, y2: float, mark: str) -> str:
    return f'<line class="{mark}" x1="{x1:.3f}%" y1="{y1:g}" x2="{x2:.3f}%" y2="{y2:g}"/>'


def _text(x: float, y: float, text: str, mark: str, dx: int = 0) -> str:
    shift = f' dx="{dx}"' if dx else ""
    return f'<text class="{mark}" x="{x:.3f}%" y="{y:g}"{shift}>{_escaped(text)}</text>'


def _escaped(text: str) -> str:
    return escape(on_one_line(text))
