"""The two figures of the page, as SVG: differences with their intervals, and loss against tokens.

Colours are CSS variables of the page, so that the figures follow its light and dark.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from training.prove.result import ArmResult, Compared, ProveResult

WIDTH = 760
ROW, HEAD, FOOT = 46, 30, 34
LABELS = 236
"""Width of the column of names."""
HEIGHT = 380
INSET = 58
COLOURS = 8
"""Colours that the page has for arms; more arms use them again with dashes."""
TICKS = 5


@dataclass(frozen=True, slots=True)
class Scale:
    """Values to places on a line."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return where a value stands."""
        return round(self.start + (value - self.low) / ((self.high - self.low) or 1.0) * (self.end - self.start), 2)

    def ticks(self) -> list[float]:
        """Return about `TICKS` round values."""
        rough = (self.high - self.low) / TICKS or 1.0
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * one for one in (1, 2, 5, 10) if power * one >= rough)
        first = math.ceil(self.low / step - 1e-9)
        return [number * step for number in range(first, math.floor(self.high / step + 1e-9) + 1)]


def forest(result: ProveResult) -> Markup:
    """Draw every contrast: its seeds as dots, its interval as a bar, 0 and the smallest effect as lines."""
    rows = result.contrasts
    ends = [value for one in rows for value in (one.low, one.high, *one.by_seed)]
    reach = max(result.smallest_effect, *map(abs, ends)) * 1.08
    scale = Scale(-reach, reach, LABELS + 10, WIDTH - 16)
    height = HEAD + ROW * len(rows) + FOOT
    parts = [*_forest_axis(scale, height, result.smallest_effect)]
    for number, one in enumerate(rows):
        parts += _forest_row(one, scale, HEAD + ROW * number + ROW / 2)
    return _svg(height, "Differences between arms with 95 % intervals", parts)


def _forest_axis(scale: Scale, height: int, smallest: float) -> Iterator[str]:
    top, bottom = HEAD - 4, height - FOOT
    for tick in scale.ticks():
        yield _line(scale(tick), top, scale(tick), bottom, "grid")
        yield _text(scale(tick), bottom + 16, _number(tick), "tick middle")
    yield _line(scale(0), top, scale(0), bottom, "zero")
    yield _line(scale(-smallest), top, scale(-smallest), bottom, "smallest")
    yield _text(scale(-smallest), 12, "smallest effect", "tick middle")
    yield _text(scale.start, bottom + 30, "← lower loss: the first arm is better", "tick")
    yield _text(scale.end, bottom + 30, "higher loss →", "tick end")


def _forest_row(one: Compared, scale: Scale, y: float) -> Iterator[str]:
    tone = "gain" if one.high < 0 else "harm" if one.low > 0 else "open"
    yield _text(0, y - 3, one.arm, "name")
    yield _text(0, y + 13, f"against {one.against}" + (", decides" if one.kind == "primary" else ""), "tick")
    width = max(1.0, scale(one.high) - scale(one.low))
    bar = 12 if one.kind == "primary" else 8
    yield f'<rect class="bar {tone}" x="{scale(one.low)}" y="{y - bar / 2}" width="{width:.2f}" height="{bar}" rx="3"/>'
    yield from (f'<circle class="dot" cx="{scale(seed)}" cy="{y}" r="3"/>' for seed in one.by_seed)
    yield _line(scale(one.difference), y - 9, scale(one.difference), y + 9, f"mean {tone}")


def curves(result: ProveResult) -> Markup:
    """Draw each arm's loss against the response tokens it used, the seeds as dots."""
    arms = result.arms
    points = [point for one in arms for point in one.curve]
    after = [value for one in arms for point in one.curve[1:] for value in point.by_seed]
    pad = (max(after) - min(after)) * 0.1 or 0.01
    top = min(max(value for point in points for value in point.by_seed), max(after) + 4 * pad)
    x = Scale(0, max(point.tokens for point in points), INSET, WIDTH - 16)
    y = Scale(min(after) - pad, top + pad / 2, HEIGHT - 46, 14)
    parts = [*_curve_axes(x, y), *_above(arms[0].curve[0].loss, y)]
    for number, one in enumerate(arms):
        parts += _curve(one, number, x, y)
    return _svg(HEIGHT, "Loss on the test responses against response tokens used", parts, clip=True)


def _curve_axes(x: Scale, y: Scale) -> Iterator[str]:
    for tick in y.ticks():
        yield _line(INSET, y(tick), WIDTH - 16, y(tick), "grid")
        yield _text(INSET - 8, y(tick) + 4, _number(tick), "tick end")
    for tick in x.ticks():
        yield _text(x(tick), HEIGHT - 28, f"{tick:,.0f}", "tick middle")
    yield _text(WIDTH - 16, HEIGHT - 8, "response tokens used", "tick end")
    yield _text(INSET, HEIGHT - 8, "loss, nats per token", "tick")


def _above(loss: float, y: Scale) -> Iterator[str]:
    """Say where the base began, if that is off the figure, which shows what the arms differ in."""
    if y(loss) < 0:
        yield _text(WIDTH - 16, 24, f"before the first step: {_number(loss)}, above this figure", "tick end")


def _curve(arm: ArmResult, number: int, x: Scale, y: Scale) -> Iterator[str]:
    style = f"arm a{number % COLOURS}" + (" dashed" if number >= COLOURS else "")
    path = " ".join(f"{x(point.tokens)},{y(point.loss)}" for point in arm.curve)
    yield f'<g class="{style}" clip-path="url(#plot)"><title>{escape(arm.name)}</title><polyline points="{path}"/>'
    for point in arm.curve[1:]:
        yield from (f'<circle cx="{x(point.tokens)}" cy="{y(seed)}" r="2.5"/>' for seed in point.by_seed)
    yield "</g>"


def _svg(height: int, title: str, parts: Sequence[str], *, clip: bool = False) -> Markup:
    box = (
        f'<clipPath id="plot"><rect x="{INSET}" y="4" width="{WIDTH - INSET - 10}" height="{HEIGHT - 46}"/></clipPath>'
    )
    inner = (f"<defs>{box}</defs>" if clip else "") + "".join(parts)
    return Markup(f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{title}">{inner}</svg>')  # noqa: S704  # every text in it is escaped


def _line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    return f'<line class="{style}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>'


def _text(x: float, y: float, text: str, style: str) -> str:
    return f'<text class="{style}" x="{x}" y="{y}">{escape(text)}</text>'


def _number(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".") if round(value, 4) else "0"
