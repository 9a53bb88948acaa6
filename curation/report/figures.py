"""Draws figures as SVG: bars, histograms and funnels, each with title, description and its data as a table."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from curation.report.counted import Histogram
from curation.report.svg import (
    LEAST,
    Caption,
    Cell,
    Figure,
    clipped,
    figure,
    label,
    legend,
    line,
    number,
    percent,
    rect,
)

WIDEST = 70.0
"""Per cent of the width that the longest bar takes; its number stands after it."""
FUNNEL_GAP, FUNNEL_BAR = 26, 20
"""Pixels of a funnel's label and of its bar."""
PLOT_HEIGHT = 150
"""Pixels of a histogram between its axis and its top."""
TICKS_MOST = 7
"""Numbers under a histogram's axis; more would not fit on a phone."""
KEPT, LOST, BEFORE = "kept", "lost", "before"
"""The classes that give a mark its colour."""


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
    parts, y = [*legend(marks)] if len(marks) > 1 else [], 30 if len(marks) > 1 else 4
    for bar in data:
        parts.append(label(0, y + 12, clipped(bar.label), "label"))
        y += 18
        for (mark, _), value, note in zip(marks, bar.values, bar.notes, strict=True):
            width = WIDEST * value / most
            parts += [rect(0, y, width, 12, mark=mark), label(width, y + 10, note, "note", dx=6)]
            y += 15
        y += 7
    rows = rows or tuple((bar.label, *bar.notes) for bar in data)
    return figure(caption, (parts, y), columns, rows)


def funnel(caption: Caption, levels: Sequence[Level]) -> Figure:
    """Draw how many rows each step kept, each bar as wide as its rows are of the first step's."""
    most = max((level.rows for level in levels), default=0) or 1
    parts, y = [*legend(((KEPT, "kept"), (LOST, "rejected")))], 26
    for at, level in enumerate(levels):
        kept, whole = 100 * level.kept / most, 100 * level.rows / most
        parts += [label(0, y + 16, clipped(level.label), "label strong"), label(100, y + 16, level.note, "note end")]
        y += FUNNEL_GAP
        parts += [rect(0, y, 100, FUNNEL_BAR, mark="track"), rect(0, y, kept, FUNNEL_BAR, mark=KEPT)]
        parts += [rect(min(kept, 100 - LEAST), y, whole - kept, FUNNEL_BAR, mark=LOST)]
        y += FUNNEL_BAR
        if at + 1 < len(levels):
            parts.insert(0, rect(0, y, kept, FUNNEL_GAP, mark="flow"))
    rows = tuple((level.label, level.rows, level.kept, level.rows - level.kept) for level in levels)
    return figure(caption, (parts, y + 4), ("step", "rows", "kept", "rejected"), rows)


def histogram(caption: Caption, data: Histogram, marks: Sequence[str]) -> Figure:
    """Draw each series' shares: the first as filled bars, the others as outlines over them."""
    most = max((share for one in data.series for share in one.shares), default=0) or 1
    wide = 100 / (len(data.edges) - 1)
    names = [(mark, f"{one.total:,} {one.name}") for mark, one in zip(marks, data.series, strict=True)]
    top = 48
    parts = [*legend(names), line(0, top, 100, top, "grid"), label(0, top - 5, percent(most), "tick")]
    for at, (mark, one) in enumerate(zip(marks, data.series, strict=True)):
        heights = [PLOT_HEIGHT * share / most for share in one.shares]
        parts += _outline(heights, top, mark) if at else _columns(heights, wide, top, mark)
    bottom = top + PLOT_HEIGHT
    ticks = _names if _has_a_bin_each(data) else _ticks
    parts += [line(0, bottom, 100, bottom, "axis"), *ticks(data.edges, wide, bottom)]
    parts += _threshold(data, wide, top)
    parts.append(label(100, bottom + 34, f"{data.unit} →", "tick end"))
    columns = (data.unit, *(f"{one.name} {what}" for one in data.series for what in ("rows", "share")))
    return figure(caption, (parts, bottom + 42), columns, _bins(data))


def _bins(data: Histogram) -> tuple[tuple[Cell, ...], ...]:
    """Return the table of a histogram, without the bins at its ends that hold nothing."""
    rows = []
    for at, (low, high) in enumerate(zip(data.edges, data.edges[1:], strict=False)):
        whole = data.whole and low == int(low) and high == int(high)
        name = number(low) if whole and high - low == 1 else f"{number(low)} to {number(high - 1 if whole else high)}"
        cells = [cell for one in data.series for cell in (one.counts[at], percent(one.shares[at]))]
        rows.append((name, *cells))
    return tuple(rows)


def _columns(heights: Sequence[float], wide: float, top: int, mark: str) -> list[str]:
    bottom = top + PLOT_HEIGHT
    return [
        rect(at * wide + 0.06 * wide, bottom - height, 0.88 * wide, height, mark=mark)
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
        yield label(at * wide, bottom + 16, number(edges[at]), f"tick {side}".strip())
        yield line(at * wide, bottom, at * wide, bottom + 4, "axis")


def _has_a_bin_each(data: Histogram) -> bool:
    return data.whole and all(high - low == 1 for low, high in pairwise(data.edges))


def _names(edges: Sequence[float], wide: float, bottom: int) -> Iterable[str]:
    """Label as many bins as fit, each by the whole number that it holds."""
    for at in range(0, len(edges) - 1, -(-(len(edges) - 1) // TICKS_MOST)):
        yield label((at + 0.5) * wide, bottom + 16, number(edges[at]), "tick middle")


def _threshold(data: Histogram, wide: float, top: int) -> list[str]:
    """Draw the limit where it falls within its bin; bins are as wide as each other, whatever they hold."""
    if data.threshold is None or not data.edges[0] <= data.threshold <= data.edges[-1]:
        return []
    below = min(bisect_right(data.edges, data.threshold), len(data.edges) - 1) - 1
    low, high = data.edges[below], data.edges[below + 1]
    at = wide * (below + (data.threshold - low) / (high - low))
    middle = 50.0
    told = label(
        at,
        top + 13,
        f"limit {number(data.threshold)}",
        "tick end" if at > middle else "tick",
        dx=4 if at <= middle else -4,
    )
    return [line(at, top, at, top + PLOT_HEIGHT, "limit"), told]
