"""How a review reads on a terminal."""

from collections.abc import Iterable, Iterator
from typing import Any

from curation.review.index import texts_of
from curation.review.rows import Item
from curation.review.search import FACETS, Found
from curation.review.standing import QueueStanding
from curation.visible import on_one_line
from schemas.codec import rejection_row
from schemas.outcome import Rejection
from schemas.record import to_row

WIDTH = 100
"""Characters of a text that a line shows."""


def standing_text(found: Iterable[QueueStanding]) -> str:
    """Return each queue on a line, with what was decided in it under it."""
    return "\n".join(line for one in found for line in _lines(one))


def _lines(one: QueueStanding) -> Iterator[str]:
    yield f"{one.queue:10} {one.done:>7,} of {one.total:>7,} decided  {one.words}"
    parts = [f"{number:,} {action}" for action, number in one.actions.items()]
    parts += [f"{number:,} {reason}" for reason, number in one.reasons.items()]
    if parts:
        yield f"{'':10} {', '.join(parts)}"
    if one.others:
        yield f"{'':10} others: {', '.join(f'{name} {number:,}' for name, number in one.others.items())}"


def found_text(found: Found, items: Iterable[Item]) -> str:
    """Return what was found: how much, what the rows have in common, and some of them."""
    lines = [f"{found.rows:,} rows, {found.kept:,} kept"]
    for name, values in found.facets.items():
        lines.append(f"  {FACETS[name]:28} {', '.join(f'{one.label} {one.rows:,}' for one in values)}")
    for item in items:
        lines += ["", f"{item.id} {item.fate}", *(f"  {_short(text)}" for text in texts_of(item.outcome) if text)]
    return "\n".join(lines)


def found_json(found: Found, items: Iterable[Item]) -> dict[str, Any]:
    """Return what was found as plain data."""
    return {
        "event": "found",
        "rows": found.rows,
        "kept": found.kept,
        "facets": {name: {one.value: one.rows for one in values} for name, values in found.facets.items()},
        "items": [{"fate": item.fate, "stage": item.stage, **_row(item)} for item in items],
    }


def _row(item: Item) -> dict[str, Any]:
    return rejection_row(item.outcome) if isinstance(item.outcome, Rejection) else to_row(item.outcome)


def _short(text: str) -> str:
    line = on_one_line(text)
    return line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"
