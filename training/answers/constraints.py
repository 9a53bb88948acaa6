"""Constraints that a program can verify: did the answer do what the instruction said?

The idea is IFEval's (Zhou et al., https://arxiv.org/abs/2311.07911), as are its two readings. Strict takes the answer
as it stands. Loose also takes it without Markdown's marks, and without its first or last line, where models say "Sure,
here is …"; what is followed only so is followed loosely. An empty answer follows nothing.
"""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

from schemas.errors import InputError
from training.answers.rules import counts, forms, words

_MARKS = re.compile(r"^#{1,6}\s+|^```\w*$|\*\*|__|`|(?<!\w)[*_](?=\w)|(?<=[\w.!?])[*_](?!\w)", re.MULTILINE)
"""Markdown's headings, fences and emphasis; not its bullets."""


class Kind(NamedTuple):
    """A kind of constraint."""

    follows: Callable[..., bool]
    """Of an answer and the constraint's settings, which are this function's other arguments."""
    says: str
    """What is asked for, in words, with the settings in braces."""


CONSTRAINTS = {
    "items": Kind(counts.items, "items of a list: {count}"),
    "words_at_least": Kind(counts.words_at_least, "words: {count} or more"),
    "words_at_most": Kind(counts.words_at_most, "words: {count} or fewer"),
    "one_word": Kind(counts.one_word, "exactly one word"),
    "sentences": Kind(counts.sentences, "sentences: {count}"),
    "paragraphs": Kind(counts.paragraphs, "paragraphs: {count}"),
    "lines": Kind(counts.lines, "lines: {count}"),
    "json": Kind(forms.json, "JSON"),
    "json_keys": Kind(forms.json_keys, "JSON with the keys {keys}"),
    "bullets": Kind(forms.bullets, "items with bullets: {count}"),
    "numbered": Kind(forms.numbered, "a list numbered from 1 to {count}"),
    "table": Kind(forms.table, "a table of {columns} columns"),
    "quoted": Kind(forms.quoted, "in double quotation marks"),
    "iso_date": Kind(forms.iso_date, "a date as YYYY-MM-DD"),
    "email": Kind(forms.email, "an e-mail with subject, greeting and closing"),
    "question": Kind(forms.question, "ends as a question"),
    "contains": Kind(words.contains, "contains {words}"),
    "contains_times": Kind(words.contains_times, "contains “{word}” {count} times or more"),
    "avoids": Kind(words.avoids, "without {words}"),
    "lower": Kind(words.lower, "small letters only"),
    "upper": Kind(words.upper, "capitals only"),
    "title": Kind(words.title, "one line in title case"),
    "starts_with": Kind(words.starts_with, "starts with “{start}”"),
    "ends_with": Kind(words.ends_with, "ends with “{end}”"),
    "language": Kind(words.language, "in the language {code}"),
    "no_commas": Kind(words.no_commas, "no commas"),
    "number": Kind(words.number, "contains a number"),
    "one_of": Kind(words.one_of, "one of {labels}"),
    "alphabetical": Kind(words.alphabetical, "in alphabetical order"),
}
"""Name → kind of constraint."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """A constraint of a prompt."""

    kind: str
    settings: Mapping[str, Any]
    """Arguments of the kind's function."""

    @property
    def words(self) -> str:
        """What is asked for, for people."""
        shown = {name: _in_words(value) for name, value in self.settings.items()}
        return CONSTRAINTS[self.kind].says.format(**shown)


class Verdict(NamedTuple):
    """Whether an answer follows a constraint, in both readings."""

    kind: str
    strict: bool
    loose: bool


def judge(text: str, constraint: Constraint) -> Verdict:
    """Say whether an answer follows a constraint; what is followed strictly is followed loosely too."""
    readings = [one for one in (text, *loose_readings(text)) if one.strip()]
    found = [CONSTRAINTS[constraint.kind].follows(one, **constraint.settings) for one in readings]
    strict = bool(text.strip()) and found[0]
    return Verdict(constraint.kind, strict=strict, loose=any(found))


def loose_readings(text: str) -> Iterator[str]:
    """Yield the answer without Markdown's marks, its first line, its last line, and each combination."""
    for unmarked, first, last in product((False, True), repeat=3):
        rows = text.strip().splitlines()
        rows = rows[1:] if first else rows
        rows = rows[:-1] if last else rows
        kept = "\n".join(rows).strip()
        yield _MARKS.sub("", kept).strip() if unmarked else kept


def read_constraint(row: Any, place: str) -> Constraint:
    """Read `{"kind": …, setting: …}`.

    Raises:
        InputError: not an object, an unknown kind, or settings that are not the kind's.
    """
    if not isinstance(row, dict) or row.get("kind") not in CONSTRAINTS:
        raise InputError(place=place, expected=f"a kind of {', '.join(CONSTRAINTS)}", found=str(row))
    settings = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
    kind = str(settings.pop("kind"))
    wanted = _settings(kind)
    if set(settings) != set(wanted):
        raise InputError(
            place=place, field=kind, expected=_listed(wanted) or "no settings", found=_listed(settings) or "none"
        )
    for name, value in settings.items():
        _check(value, wanted[name], f"{place}: {kind}: {name}")
    return Constraint(kind, settings)


def _settings(kind: str) -> dict[str, Any]:
    """Return name and type of a kind's settings."""
    arguments = list(inspect.signature(CONSTRAINTS[kind].follows).parameters.values())[1:]
    return {one.name: one.annotation for one in arguments}


def _check(value: Any, wanted: Any, place: str) -> None:
    """Refuse a value of another type, a count that nothing can have, and empty text."""
    if wanted is int:
        good = type(value) is int and value > 0
    elif wanted is str:
        good = isinstance(value, str) and bool(value)
    else:
        good = isinstance(value, tuple) and bool(value) and all(isinstance(one, str) and one for one in value)
    if not good:
        expected = {int: "a positive number", str: "a text"}.get(wanted, "a list of texts")
        raise InputError(place=place, expected=expected, found=repr(value))


def _listed(names: Mapping[str, Any]) -> str:
    return ", ".join(names)


def _in_words(value: Any) -> str:
    return ", ".join(f"“{one}”" for one in value) if isinstance(value, tuple) else str(value)
