"""Finds rows: by words in their texts, by what is known about them, by what the checks said, by topic."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Final, NamedTuple

import numpy as np

from curation.review.columns import Mask
from curation.review.rows import Item, Rows
from schemas.errors import InputError

PAGE = 25
"""Rows on a page."""
VALUES_MOST = 12
"""Values of a facet that are listed, commonest first."""

FACETS: Final[Mapping[str, str]] = {
    "fate": "Kept or rejected",
    "code": "What the checks said",
    "category": "Category",
    "length": "Words",
    "alike": "Likeness to the nearest",
    "language": "Language",
    "source": "Source",
    "model": "Written by",
    "topic": "Topic",
}
"""Facet → its name on the screen."""

_PARTS: Final = re.compile(r'"([^"]+)"|(\S+)')


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is looked for; empty fields do not limit."""

    words: str = ""
    """Words that must all stand in the row, the last one perhaps unfinished; "in quotes" as they stand."""
    fate: str = ""
    code: str = ""
    """A reason, flag or repair."""
    category: str = ""
    length: str = ""
    alike: str = ""
    language: str = ""
    source: str = ""
    model: str = ""
    topic: str = ""

    def filled(self) -> dict[str, str]:
        """Return what limits the search."""
        return {one.name: value for one in fields(self) if (value := getattr(self, one.name))}


class Value(NamedTuple):
    """One value of a facet."""

    value: str
    label: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found."""

    rows: int
    kept: int
    """Of them kept: what can be decided about in one stroke."""
    page: tuple[int, ...]
    """Places of one page of them."""
    facets: Mapping[str, tuple[Value, ...]]


def search(rows: Rows, wanted: Wanted, page: int = 1, most: int = PAGE) -> Found:
    """Return one page of the rows that are wanted, and how many of all of them have each value of each facet.

    Raises:
        InputError: nothing to look for in the words.
    """
    found = _found(rows, wanted)
    places = np.flatnonzero(found)
    return Found(
        page=tuple(places[(page - 1) * most : page * most].tolist()),
        rows=len(places),
        kept=int((found & _kept(rows)).sum()),
        facets=dict(_facets(rows, found)),
    )


def kept_places(rows: Rows, wanted: Wanted) -> list[int]:
    """Return the places of all kept records that are wanted."""
    places: list[int] = np.flatnonzero(_found(rows, wanted) & _kept(rows)).tolist()
    return places


def chosen(rows: Rows, ids: Iterable[str], wanted: Wanted, expect: int | None) -> list[Item]:
    """Return the rows that are named, or all kept records that are wanted.

    Raises:
        InputError: an id that no row has; neither ids nor a search; another number than was expected.
    """
    named = [rows.called(row_id) for row_id in ids]
    for row_id, found in zip(ids, named, strict=True):
        if not found:
            raise InputError(place=rows.path.parent.name, field="id", expected="a row of this step", found=row_id)
    if named:
        return [found[0] for found in named]
    if not wanted.filled():
        raise InputError(place="decide", expected="ids, or a search", found="neither")
    places = kept_places(rows, wanted)
    if len(places) != expect:
        said = "no --expect" if expect is None else f"--expect {expect}"
        raise InputError(place="decide", expected=f"--expect {len(places)}, which is what was found", found=said)
    return [rows.at(pos) for pos in places]


def terms(words: str) -> list[str]:
    """Return the words and phrases of a search."""
    return [phrase or word.replace('"', "") for phrase, word in _PARTS.findall(words) if phrase or word.strip('"')]


def term_spans(text: str, words: str) -> list[tuple[int, int]]:
    """Return where the words of a search stand in a text."""
    wanted = [re.escape(term) for term in terms(words)]
    if not wanted:
        return []
    return [match.span() for match in re.finditer(rf"\b(?:{'|'.join(wanted)})", text, re.IGNORECASE)]


def _found(rows: Rows, wanted: Wanted) -> Mask:
    """Say of each row whether it is wanted."""
    found = np.ones(len(rows.hashes), np.bool_)
    for name, value in wanted.filled().items():
        found &= _matching(rows, value) if name == "words" else rows.columns[name].where(_none(value), len(found))
    return found


def _matching(rows: Rows, words: str) -> Mask:
    found = np.zeros(len(rows.hashes), np.bool_)
    places = rows.db.execute("SELECT rowid FROM texts WHERE texts MATCH ?", (_match(words),))
    found[[pos for (pos,) in places]] = True
    return found


def _kept(rows: Rows) -> Mask:
    return rows.columns["fate"].where("kept", len(rows.hashes))


NOTHING: Final = "(none)"
"""How an empty value is asked for."""


def _none(value: str) -> str:
    return "" if value == NOTHING else value


def _match(words: str) -> str:
    """Return a search as FTS5 reads it: every term quoted, so that nothing in it is an operator.

    Raises:
        InputError: no letter or digit in it.
    """
    quoted = [f'"{term}"' for term in terms(words) if re.search(r"\w", term)]
    if not quoted:
        raise InputError(place="search", expected="words", found=repr(words))
    return " ".join(quoted) + ("*" if not words.rstrip().endswith('"') else "")


def _facets(rows: Rows, found: Mask) -> Iterator[tuple[str, tuple[Value, ...]]]:
    labels = {str(topic): label for topic, label in rows.db.execute("SELECT topic, label FROM topics")}
    for name in FACETS:
        counted = rows.columns[name].counts(found)[:VALUES_MOST]
        values = tuple(_value(name, value, number, labels) for value, number in counted)
        if len(values) > 1 or (values and values[0].value != NOTHING):
            yield name, values


def _value(name: str, value: str, rows: int, labels: Mapping[str, str]) -> Value:
    label = labels.get(value, value) if name == "topic" else value.replace("_", " ") if name == "code" else value
    return Value(value or NOTHING, label or NOTHING, rows)
