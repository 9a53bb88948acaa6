"""The two forms that results are written in: aligned columns for people, JSON lines for programs."""

from collections.abc import Sequence
from typing import Any

import orjson

from training.markup import visible


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as aligned lines; the last column is as long as it is."""
    rows = [[visible(" ".join(cell.split())) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  " + "  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def event(name: str, /, **values: Any) -> str:
    """Return an event as one JSON line."""
    return orjson.dumps({"event": name, **values}).decode()


def gb(number: int) -> str:
    """Return bytes in GB."""
    return f"{number / 10**9:,.2f}"
