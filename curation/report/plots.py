"""Figures of a review by plan: rates with their intervals, and the plan's operating curve."""

from collections.abc import Sequence

from curation.report.numbers import Chance, Rate
from curation.report.svg import Caption, Figure, clipped, figure, label, line, percent

ROW = 38
"""Pixels of one rate."""
HEIGHT = 150
"""Pixels of a curve between its axis and its top."""
TICKS = 5


def intervals(caption: Caption, rates: Sequence[Rate], limit: float) -> Figure:
    """Draw each rate as a dot on the line of what the whole's may be; the limit stands across all."""
    widest = 1.08 * max(limit, *(one.high for one in rates))
    parts, y = [], 22
    for one in rates:
        name = f"{clipped(one.name)}: {one.defects:,} of {one.reviewed:,}"
        parts.append(label(0, y, name, "label"))
        at = y + 12
        parts += [
            line(100 * limit / widest, at - 7, 100 * limit / widest, at + 7, "limit"),
            line(100 * one.low / widest, at, 100 * one.high / widest, at, "span"),
            _dot(100 * one.rate / widest, at),
            label(
                100,
                y,
                f"{percent(one.low)} to {percent(one.high)}" if one.low else f"at most {percent(one.high)}",
                "note end",
            ),
        ]
        y += ROW
    side = "end" if limit / widest > 0.6 else ""  # noqa: PLR2004  # room for the label is on the other side
    parts = [
        label(100 * limit / widest, y + 4, f"limit {100 * limit:g} %", f"tick {side}".strip()),
        *parts,
    ]
    rows = tuple(
        (one.name, one.reviewed, one.defects, percent(one.rate), percent(one.low), percent(one.high)) for one in rates
    )
    return figure(caption, (parts, y + 12), ("records", "looked at", "defects", "rate", "from", "to"), rows)


def curve(caption: Caption, points: Sequence[Chance], limit: float) -> Figure:
    """Draw how likely a lot passes, by its true rate."""
    widest = points[-1].rate
    top, bottom = 22, 22 + HEIGHT
    path = " ".join(f"{100 * one.rate / widest:.3f},{HEIGHT * (1 - one.passes):.2f}" for one in points)
    inner = f'<polyline class="outline kept" points="{path}" vector-effect="non-scaling-stroke"/>'
    box = f'viewBox="0 0 100 {HEIGHT}" preserveAspectRatio="none" overflow="visible"'
    parts = [
        line(0, top, 100, top, "grid"),
        line(0, top + HEIGHT / 2, 100, top + HEIGHT / 2, "grid"),
        label(0, top - 5, "passes 100 %", "tick"),
        label(0, top + HEIGHT / 2 - 5, "50 %", "tick"),
        line(100 * limit / widest, top, 100 * limit / widest, bottom, "limit"),
        label(100 * limit / widest, top + 14, f"limit {100 * limit:g} %", "tick", dx=4),
        f'<svg x="0" y="{top}" width="100%" height="{HEIGHT}" {box}>{inner}</svg>',
        line(0, bottom, 100, bottom, "axis"),
    ]
    for at in range(TICKS + 1):
        side = "" if at == 0 else "end" if at == TICKS else "middle"
        parts.append(label(100 * at / TICKS, bottom + 16, f"{100 * widest * at / TICKS:g} %", f"tick {side}".strip()))
    parts.append(label(100, bottom + 34, "true defect rate →", "tick end"))
    rows = tuple((f"{100 * one.rate:g} %", percent(one.passes)) for one in points)
    return figure(caption, (parts, bottom + 42), ("true defect rate", "passes"), rows)


def _dot(x: float, y: float) -> str:
    return f'<circle class="dot" cx="{x:.3f}%" cy="{y:g}" r="5"/>'
