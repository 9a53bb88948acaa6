"""Renders the screens."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment

from curation.calibrate.keys import LABEL_KEYS, SKIP, UNDO
from curation.calibrate.sheet import Sheet
from curation.calibrate.web.sides import fields_of, name_of, told_of
from curation.review.reliability import Table
from curation.review.web.html import TEMPLATES as SHARED
from curation.review.web.html import environment, score
from curation.review.web.keys import Key

TEMPLATES = Path(__file__).parent / "templates"
ACTIONS: Mapping[str, Key] = {
    **{label: Key(key=key, words=label.capitalize()) for key, label in LABEL_KEYS.items()},
    "skip": Key(key=SKIP, words="Not now"),
    "undo": Key(key=UNDO, words="Undo the last label"),
    "home": Key(key="h", words="Next open pair", group="Move"),
    "next": Key(key="j", words="Next pair", group="Move"),
    "previous": Key(key="k", words="Pair before", group="Move"),
    "guidelines": Key(key="?", words="What to ask, and the keys", group="Look"),
}
"""Action → its key; an element with `data-press="ACTION"` is what the key clicks."""


class Pages:
    """The screens of one file of pairs."""

    def __init__(self, path: Path) -> None:
        self._file = path.name

    def pair(self, sheet: Sheet, at: int, number: int) -> str:
        """Return one pair; how alike it is only once it has a label."""
        row = sheet.rows[at]
        return self._render(
            "pair.html.j2",
            title=f"Pair {number}",
            number=number,
            total=len(sheet.rows),
            done=sheet.labelled,
            sha256=name_of(row),
            fields=list(fields_of(row)),
            told=told_of(row),
            undoable=sheet.last is not None,
        )

    def finished(self, sheet: Sheet, table: Table | None, apart: Sequence[tuple[int, tuple[str, str]]]) -> str:
        """Return what came of it: how many labels, and how far two people agree, if this was the second labelling."""
        return self._render(
            "labelled.html.j2",
            title="Labelled",
            done=sheet.labelled,
            total=len(sheet.rows),
            skipped=sheet.skipped,
            table=table,
            apart=apart,
            undoable=sheet.last is not None,
        )

    def refused(self, words: str) -> str:
        """Return why something was not done."""
        return self._render("not_done.html.j2", title="Not done", words=words)

    def _render(self, template: str, **values: Any) -> str:
        keys = {name: key.key for name, key in ACTIONS.items()}
        page = _environment().get_template(template)
        return page.render(**values, folder=self._file, actions=ACTIONS, key_table=keys)


@cache
def _environment() -> Environment:
    made = environment(TEMPLATES, SHARED)
    made.filters["score"] = score
    return made
