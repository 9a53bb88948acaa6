"""Conflicting answers side by side, and the stroke that keeps one of them and rejects the others."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from curation.review.desk import Act, Desk
from curation.review.rows import Item, Rows
from curation.review.worddiff import Piece, word_diff
from schemas.errors import InputError
from schemas.record import InstructionRecord

REASON = "contradicted"
"""What is wrong with an answer where another one was kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One of several answers to a question."""

    number: int
    """From 1; it stays when another answer goes."""
    ids: tuple[str, ...]
    """The records that answer so, in one spelling or another."""
    text: str
    """The response of the first of them."""
    diff: tuple[Piece, ...] = ()
    """From the answer of the record that is looked at; empty for that one itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenConflict:
    """A question that kept records answer differently."""

    kind: str
    """`contradiction`: they exclude each other; `variation`: all may be right."""
    instruction: str
    context: str
    answers: tuple[Answer, ...]


def open_conflicts(rows: Rows) -> Iterator[OpenConflict]:
    """Yield every conflict that the steps left open, those that exclude each other first."""
    for _, places in groupby(rows.conflicts(), key=lambda place: place[0]):
        yield _conflict(rows, places)


def conflict_of(item: Item, rows: Rows) -> OpenConflict | None:
    """Return the conflict that a record is part of, held against its own answer; None: it is part of none."""
    if not item.conflict or not isinstance(item.outcome, InstructionRecord):
        return None
    return _conflict(rows, rows.conflicts(item.id), item)


def keep_answer(desk: Desk, item: Item, ms: int | None = None) -> str:
    """Accept a record and all that answer like it, reject those that answer its question otherwise, in one stroke.

    Returns:
        The stroke's name; one undo takes all of it back.

    Raises:
        InputError: the record is part of no conflict.
    """
    found = conflict_of(item, desk.rows)
    if found is None:
        raise InputError(place=f"row {item.id}", expected="a record of a conflict; see review conflicts", found="none")
    acts = [(one, _act(item, answer, ms)) for answer in found.answers for one in _items(desk.rows, answer.ids)]
    # the record that is kept comes last: an undo shows it again
    return desk.stroke(sorted(acts, key=lambda act: act[0].id == item.id))


def keep_named(desk: Desk, row_id: str) -> str:
    """Keep the answer of the record of an id, as `keep_answer` does.

    Raises:
        InputError: no such record, or one of no conflict.
    """
    found = desk.rows.called(row_id)
    if not found:
        raise InputError(place="--keep", expected="the id of a record", found=row_id)
    return keep_answer(desk, found[0])


def _act(item: Item, answer: Answer, ms: int | None) -> Act:
    if item.id in answer.ids:
        return Act(action="accept", note="kept of several answers", ms=ms)
    return Act(action="reject", reasons=(REASON,), note=f"{item.id} was kept", ms=ms)


def _items(rows: Rows, ids: Iterable[str]) -> Iterator[Item]:
    for one in ids:
        yield from (item for item in rows.called(one)[:1] if item.fate == "kept")


def _conflict(
    rows: Rows, places: Iterable[tuple[int, int, str, str, str, str]], item: Item | None = None
) -> OpenConflict:
    found = list(places)
    _, _, _, kind, instruction, context = found[0]
    answers = tuple(
        _answer(rows, number, [place[2] for place in same], item)
        for number, same in groupby(found, key=lambda place: place[1])
    )
    return OpenConflict(kind=kind, instruction=instruction, context=context, answers=answers)


def _answer(rows: Rows, number: int, ids: list[str], item: Item | None) -> Answer:
    text = _response(rows.called(ids[0])[0])
    diff = () if item is None or item.id in ids else tuple(word_diff(_response(item), text))
    return Answer(number=number, ids=tuple(ids), text=text, diff=diff)


def _response(item: Item) -> str:
    return item.outcome.response if isinstance(item.outcome, InstructionRecord) else ""
