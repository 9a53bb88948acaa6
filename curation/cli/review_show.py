"""How a review reads on a terminal."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from curation.review.agreement import Agreed
from curation.review.conflicts import OpenConflict
from curation.review.index import texts_of
from curation.review.mapping import TopicRow
from curation.review.rows import Item
from curation.review.search import FACETS, Found
from curation.review.since import Since
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


def since_text(since: Since) -> str:
    """Return what became of a release's records as a line; nothing where none was named."""
    if not since.name:
        return ""
    parts = (f"{len(since.changed):,} changed", f"{since.came:,} came", f"{len(since.left):,} left")
    return f"since {on_one_line(since.name)}: {', '.join(parts)}"


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


def conflicts_text(found: Sequence[OpenConflict], n: int) -> str:
    """Return how many conflicts are open, and the first `n`: each question with its answers under it."""
    lines = [f"{len(found):,} questions are answered differently"]
    for one in found[:n]:
        lines += ["", f"{one.kind}: {_short(' '.join(filter(None, (one.instruction, one.context))))}"]
        lines += [f"  {answer.ids[0]}  {_short(answer.text)}" for answer in one.answers]
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


def agreed_text(found: Agreed) -> str:
    """Return how far reviewers agree as lines."""
    table, between = found.table, f"[{_share(found.kappa_low)}, {_share(found.kappa_high)}]"
    lines = [
        f"{table.total:,} records were decided about by two people, blind to each other",
        f"{'':16} {'second: fault':>14} {'second: fine':>14}",
        f"{'first: fault':16} {table.both_reject:>14,} {table.first_only:>14,}",
        f"{'first: fine':16} {table.second_only:>14,} {table.both_accept:>14,}",
        f"agree on {_share(found.observed)}; on faults {_share(found.on_rejects)}",
        f"kappa {_share(found.kappa)} {between}, alpha {_share(found.alpha)}",
        f"{found.disputed:,} disputed, {found.settled:,} of them settled",
    ]
    for one in found.canaries:
        share = f"[{one.low:.2f}, {one.high:.2f}]"
        lines.append(f"{on_one_line(one.reviewer)} caught {one.caught} of {one.shown} spoilt records {share}")
    return "\n".join(lines)


def _share(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"


def topics_text(topics: Iterable[TopicRow]) -> str:
    """Return each topic on a line."""
    return "\n".join(
        f"{one.topic:>3} {one.rows:>7,} rows, {one.rejected:>6,} rejected  {on_one_line(one.label)}" for one in topics
    )
