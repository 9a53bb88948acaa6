"""The output contract: how a model is asked for several items, so that what is whole can be told from what is cut.

A ladder of forms, best first; `curation.generate.ladder` finds out which one an endpoint keeps:

    schema   a JSON schema that the server enforces
    json     JSON mode: some JSON, in the shape that the words ask for
    tool     a call of a tool whose arguments are the items
    text     items between marks that no text can contain, because they are drawn anew for each request
    list     a numbered list, one item a line: what a very small model follows when it is shown one

In each of them an item counts only if it was closed, whatever the answer's finish reason says. There are no stop
strings: one that a text may contain cuts it without a word (Alpaca's "20." cut every answer that held it).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol, TypeAlias

from curation.generate import forms
from curation.generate.endpoint import TRUNCATED, Answer, Message, Request
from curation.generate.gates import shortened
from curation.generate.parse import unusable
from schemas.outcome import Rejection
from schemas.record import InstructionRecord, Reason

Item: TypeAlias = Mapping[str, str]
"""Field → text."""
ONE_LINE = "list"
"""The form whose items are lines."""


class Piece(NamedTuple):
    """A part of an answer that is no item."""

    text: str
    reason: Reason


class Items(NamedTuple):
    """What an answer holds; between them the two hold all of it."""

    closed: tuple[Item, ...]
    rest: tuple[Piece, ...]


class Form(Protocol):
    """A way of writing items down."""

    def words(self, wanted: "Wanted") -> str:
        """Return how the model is told to write them; empty: it is only shown."""

    def constraint(self, wanted: "Wanted") -> Mapping[str, Any]:
        """Return what the server is told of it, as arguments of the API."""

    def shown(self, wanted: "Wanted", items: Sequence[Item]) -> str:
        """Return items as the model would write them."""

    def read(self, wanted: "Wanted", text: str, *, cut: bool) -> tuple[list[Item], list[tuple[str, str]]]:
        """Return the closed items of a text, and the pieces that are none, each with the reason's code."""


FORMS: Mapping[str, Form] = {
    "schema": forms.Schema(),
    "json": forms.JsonMode(),
    "tool": forms.Tool(),
    "text": forms.Marked(),
    "list": forms.Numbered(),
}
"""Name → form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What an answer is to hold, and in which form."""

    form: str
    """One of FORMS."""
    count: int
    """Items asked for."""
    fields: tuple[str, ...] = ("instruction",)
    """The texts of an item; those of `optional` may be left out."""
    optional: tuple[str, ...] = ()
    mark: str = ""
    """What stands around items in the form `text`; see `mark_of`."""

    @property
    def words(self) -> str:
        """How the model is told to write the items; goes to the end of what is asked. May be empty."""
        return self._form.words(self)

    @property
    def constraint(self) -> Mapping[str, Any]:
        """What the server is told of the form; goes into the request."""
        return self._form.constraint(self)

    def shown(self, items: Sequence[Item]) -> str:
        """Return finished items as an earlier answer would have held them."""
        return self._form.shown(self, items)

    def items(self, answer: Answer) -> Items:
        """Return the closed items of an answer and the rest of it; a field that was left out is empty."""
        if reason := unusable(answer):
            return Items((), (Piece(answer.text, reason),))
        closed, rest = self._form.read(self, answer.text, cut=answer.finish_reason == TRUNCATED)
        pieces = tuple(Piece(text, _reason(code, text, self.form)) for text, code in rest)
        return Items(tuple(closed), pieces)

    def more(self, request: Request, answer: Answer) -> "tuple[Wanted, Request] | None":
        """Return what asks once more for the items that a cut answer had no room for; None: it was not cut.

        The items that are there stand as a turn of the chat, so that the rest goes on from them; where not one was
        closed, the limit was too small, and is doubled.
        """
        closed = self.items(answer).closed
        missing = self.count - len(closed)
        if answer.finish_reason != TRUNCATED or missing < 1 or request.prompt:
            return None
        rest = replace(self, count=missing)
        if not closed:
            limit = {"max_tokens": 2 * request.params["max_tokens"]} if "max_tokens" in request.params else {}
            return rest, replace(request, params={**request.params, **limit})
        turns = (
            Message("assistant", rest.shown(closed)),
            Message("user", f"Write {missing} more new items.{_apart(rest)}"),
        )
        return rest, replace(request, messages=(*request.messages, *turns), constraint=rest.constraint)

    @property
    def _form(self) -> Form:
        # a line has no room for several fields
        return FORMS["text" if self.form == ONE_LINE and len(self.fields) > 1 else self.form]


def records_of(items: Items, blank: InstructionRecord) -> list[InstructionRecord | Rejection]:
    """Return each closed item as a copy of `blank` with its fields, then the rest as rejections: nothing is dropped."""
    records = [replace(blank, **item) for item in items.closed]  # type: ignore[arg-type]  # the fields are text fields
    rest = [Rejection(row={"raw": raw}, reasons=(reason,), provenance=blank.provenance) for raw, reason in items.rest]
    return [*records, *rest]


def mark_of(*place: int | str) -> str:
    """Return a mark that is a function of a request's place and that nobody writes by chance."""
    return "k" + hashlib.sha256(repr(("mark", *place)).encode()).hexdigest()[:9]


def _apart(wanted: Wanted) -> str:
    return f"\n{wanted.words}" if wanted.words else ""


def _reason(code: str, text: str, form: str) -> Reason:
    field = "instruction" if code == forms.CUT else ""
    limit = forms.EXPECTED.get(form, "") if code == forms.NONE else ""
    return Reason(code=code, field=field, found=shortened(text), limit=limit)
