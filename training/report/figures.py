"""Curves over the steps of a run as SVG: no script; widths are percentages and text keeps its size, phone or desk.

Colours are CSS custom properties of the page that holds the figure, light and dark.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from statistics import fmean
from typing import NamedTuple, TypeAlias

from markupsafe import Markup

Point: TypeAlias = tuple[float, float]
"""Step and value."""

MARGIN = 48
"""Pixels that the page leaves beside the drawing for the numbers of its scale; the legend begins there."""
HEIGHT, TOP = 200, 34
"""Pixels of the drawing, and above it for the legend."""
MOST = 300
"""Points of a curve; more are averaged, because a screen is not finer."""
TICKS = 4
"""Lines across, about."""
THOUSAND = 1000
"""From here on numbers have no decimals."""


class Curve(NamedTuple):
    """One line of a figure."""

    name: str
    mark: str
    """Its CSS class."""
    points: Sequence[Point]
    dotted: bool = False
    """Draw a dot at each point: few points, each measured on its own."""


class Scale(NamedTuple):
    """What values stand at the bottom and the top, and where lines go across."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def y(self, value: float) -> float:
        """Return how far down a value is, in pixels."""
        return HEIGHT * (1 - (value - self.low) / (self.high - self.low))


def figure(key: str, title: str, description: str, curves: Sequence[Curve], last: int) -> Markup:
    """Return a figure of curves over the steps 0 to `last`; `key` names it within its page."""
    curves = [one._replace(points=thinned(one.points)) for one in curves if one.points]
    scale = scale_of([value for one in curves for _, value in one.points])
    inner = "".join(part for one in curves for part in _curve(one, scale, max(1, last)))
    parts = [
        *_legend(curves),
        *_across(scale),
        f'<svg x="0" y="{TOP}" width="100%" height="{HEIGHT}" overflow="visible">{inner}</svg>',
        *_steps(last),
    ]
    head = (
        f'<svg class="figure" xmlns="http://www.w3.org/2000/svg" width="100%" height="{TOP + HEIGHT + 24}" role="img" '
        f'aria-labelledby="{key}-title {key}-desc"><title id="{key}-title">{escape(title)}</title>'
        f'<desc id="{key}-desc">{escape(description)}</desc>'
    )
    return Markup(head + "".join(parts) + "</svg>")  # noqa: S704  # every text in it went through escape


def thinned(points: Sequence[Point], most: int = MOST) -> list[Point]:
    """Return at most `most` points, each the mean of its neighbours; the first and the last step stay."""
    points = [one for one in points if math.isfinite(one[1])]
    size = -(-len(points) // most)
    if size <= 1:
        return points
    parts = [points[at : at + size] for at in range(0, len(points), size)]
    means = [(fmean(one[0] for one in part), fmean(one[1] for one in part)) for part in parts]
    means[0], means[-1] = (points[0][0], means[0][1]), (points[-1][0], means[-1][1])
    return means


def smoothed(points: Sequence[Point], share: float = 0.05) -> list[Point]:
    """Return each point as the mean of those up to it, over this share of all."""
    size = max(1, round(len(points) * share))
    return [
        (step, fmean(value for _, value in points[max(0, at - size + 1) : at + 1]))
        for at, (step, _) in enumerate(points)
    ]


def scale_of(values: Iterable[float]) -> Scale:
    """Return a scale with round numbers that holds all values."""
    values = list(values) or [0.0]
    low, high = min(values), max(values)
    if low == high:
        low, high = (low - 1, high + 1) if low else (0.0, 1.0)
    step = _round_step((high - low) / TICKS)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return Scale(first * step, last * step, tuple(number * step for number in range(first, last + 1)))


def number(value: float) -> str:
    """Return a number of a scale, short."""
    if value and abs(value) < 1e-3:  # noqa: PLR2004  # where decimals get long
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{mantissa.removesuffix('.0')}e{int(exponent)}"
    return f"{value:,.0f}" if abs(value) >= THOUSAND else f"{value:.4g}"


def _round_step(least: float) -> float:
    """Return the next of 1, 2, 2.5, 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(one * power for one in (1, 2, 2.5, 5, 10) if one * power >= least * (1 - 1e-9))


def _curve(curve: Curve, scale: Scale, last: int) -> Iterator[str]:
    """Draw a line, or the dots and the line through them; the line is stretched to the width, its stroke is not."""
    places = [(100 * step / last, scale.y(value)) for step, value in curve.points]
    path = " ".join(f"{x:.3f},{y:.2f}" for x, y in places)
    box = f'viewBox="0 0 100 {HEIGHT}" preserveAspectRatio="none" overflow="visible" width="100%" height="{HEIGHT}"'
    line = f'<polyline class="curve {curve.mark}" points="{path}" vector-effect="non-scaling-stroke"/>'
    yield f"<svg {box}>{line}</svg>"
    if curve.dotted or len(places) == 1:
        for x, y in places:
            yield f'<circle class="dot {curve.mark}" cx="{x:.3f}%" cy="{y:.2f}" r="4.5"/>'


def _legend(curves: Sequence[Curve]) -> Iterator[str]:
    """Name the curves on one line; widths of text can only be guessed, a little generously."""
    if len(curves) == 1:
        return
    x = -MARGIN
    for one in curves:
        yield f'<rect class="key {one.mark}" x="{x}" y="3" width="12" height="12" rx="2"/>'
        yield f'<text class="tick" x="{x + 18}" y="13">{escape(one.name)}</text>'
        x += 34 + 7 * len(one.name)


def _across(scale: Scale) -> Iterator[str]:
    """Draw the lines across; the number of each stands to its left, where the page leaves room."""
    for value in scale.ticks:
        y = TOP + scale.y(value)
        mark = "axis" if value == scale.low else "grid"
        yield f'<line class="{mark}" x1="0%" y1="{y:.1f}" x2="100%" y2="{y:.1f}"/>'
        yield f'<text class="tick end" x="0%" dx="-8" y="{y + 4:.1f}">{number(value)}</text>'


def _steps(last: int) -> Iterator[str]:
    y = TOP + HEIGHT + 18
    yield f'<text class="tick" x="0%" y="{y}">0</text>'
    yield f'<text class="tick end" x="100%" y="{y}">{last:,} steps</text>'
