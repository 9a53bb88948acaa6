"""The parts that figures are drawn with: rectangles, lines, labels, legends, and the figure around them.

Widths are percentages and text keeps its size, so that a figure is as readable on a phone as on a wide screen. Colours
are CSS custom properties; the page that holds the figure sets them for light and dark.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import NamedTuple, TypeAlias

from markupsafe import Markup

from curation.visible import on_one_line

Cell: TypeAlias = str | int | float

LABEL_MOST = 46
"""Characters of a label; more would not fit on a phone."""
LEAST = 0.4
"""Per cent of the width that the shortest bar takes, if it is not nothing."""


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


def legend(marks: Sequence[tuple[str, str]]) -> list[str]:
    """Set the legend on one line; widths of text can only be guessed, a little generously."""
    parts, x = [], 0
    for mark, name in marks:
        name = clipped(name)  # noqa: PLW2901  # the same name, as it is shown
        parts.append(f'<rect class="{mark}" x="{x}" y="3" width="12" height="12" rx="2"/>')
        parts.append(f'<text class="tick" x="{x + 18}" y="13">{escaped(name)}</text>')
        x += 44 + 7 * len(name)
    return parts


def figure(
    caption: Caption, drawn: tuple[Sequence[str], float], columns: Sequence[str], rows: tuple[tuple[Cell, ...], ...]
) -> Figure:
    """Return a figure of what was drawn (its parts and its height in pixels), with its numbers as a table."""
    (parts, height), key = drawn, caption.key
    head = (
        f'<svg class="figure" xmlns="http://www.w3.org/2000/svg" width="100%" height="{height:g}" role="img" '
        f'aria-labelledby="{key}-title {key}-desc"><title id="{key}-title">{escaped(caption.title)}</title>'
        f'<desc id="{key}-desc">{escaped(caption.description)}</desc>'
    )
    svg = Markup(head + "".join(parts) + "</svg>")  # noqa: S704  # every text in it went through escaped
    return Figure(caption=caption, svg=svg, columns=tuple(columns), rows=rows)


def rect(x: float, y: float, width: float, height: float, *, mark: str) -> str:
    """Draw a rectangle; what is there at all can be seen."""
    wide = max(width, LEAST) if width else 0
    return f'<rect class="{mark}" x="{x:.3f}%" y="{y:.2f}" width="{wide:.3f}%" height="{height:.2f}"/>'


def line(x1: float, y1: float, x2: float, y2: float, mark: str) -> str:
    """Draw a line; x in per cent of the width, y in pixels."""
    return f'<line class="{mark}" x1="{x1:.3f}%" y1="{y1:g}" x2="{x2:.3f}%" y2="{y2:g}"/>'


def label(x: float, y: float, text: str, mark: str, dx: int = 0) -> str:
    """Write a text; x in per cent of the width, y and dx in pixels."""
    shift = f' dx="{dx}"' if dx else ""
    return f'<text class="{mark}" x="{x:.3f}%" y="{y:g}"{shift}>{escaped(text)}</text>'


def escaped(text: str) -> str:
    """Return a text that is no markup, on one line."""
    return escape(on_one_line(text))
