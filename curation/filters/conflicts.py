"""The same question with different answers: seen only by somebody who sees all records.

Two stories about a dog are no contradiction, two results of one sum are. So a conflict is flagged, never rejected, and
people decide; answers that are short or differ in their numbers are named `contradiction`, the others `variation`.
"""

import hashlib
import re
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np

from curation.filters.findings import evidence
from curation.spool import Spool
from curation.text import normal_form
from schemas.record import InstructionRecord, Reason

CONFLICT = "conflicting_responses"
FEW_WORDS = 6
"""Words of the longest response that is one answer rather than a text."""
_OPEN = re.compile(
    r"\b(?:generate|create|write|compose|invent|imagine|suggest|brainstorm|come up|make up|design|random\w*|examples?|"
    r"list|name|give|provide|describe|think of|propose|draft|craft|produce|tell me a|pick|choose any|sample|rewrite|"
    r"rephrase|reword|paraphrase|edit|improve|summari[sz]e|translate|construct|develop|formulate|ideas?|synonym|rhym\w+)\b",
    re.IGNORECASE,
)
"""Tasks that have many right answers."""
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
Kind = Literal["contradiction", "variation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Records that ask the same and are answered differently."""

    kind: Kind
    records: tuple[InstructionRecord, ...]
    """One for each different response, in order of their ids."""
    same: tuple[tuple[str, ...], ...]
    """For each of them the ids of all records that answer so, its own first."""

    def row(self) -> dict[str, object]:
        """Return the row that is left for the review."""
        first = self.records[0]
        return {
            "kind": self.kind,
            "instruction": first.instruction,
            "context": first.context,
            "ids": [one.id for one in self.records],
            "responses": [one.response for one in self.records],
            "same": self.same,
        }


class _Found(NamedTuple):
    """A conflict as it is held: by the places of its records."""

    kind: Kind
    first: str
    """Id of the first of its answers."""
    rows: tuple[int, ...]
    two: tuple[int, int]
    """Places of its first two answers: one of them says something else than any answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflicts:
    """All conflicts of a set."""

    _records: Spool = field(repr=False)
    _found: Sequence[_Found]
    _of: Mapping[int, _Found] = field(repr=False)

    def all(self) -> Iterator[Conflict]:
        """Yield every conflict, contradictions first, in order of their ids."""
        for found in sorted(self._found):
            yield from _within(self._records, found.rows)

    def reason(self, row: int, record: InstructionRecord, *, variations: bool = False) -> Reason | None:
        """Return the flag for the record at a place that is part of a conflict, naming one that says something else."""
        conflict = self._of.get(row)
        if conflict is None or (conflict.kind == "variation" and not variations):
            return None
        mine = _bare(record.response)
        other = next(one for one in map(self._records.__getitem__, conflict.two) if _bare(one.response) != mine)
        found, limit = evidence(f"{conflict.kind}: {other.response}"), "one answer to one question"
        return Reason(code=CONFLICT, field="response", found=found, limit=limit, other=other.id)


def find_conflicts(records: Spool) -> Conflicts:
    """Find every question with more than one answer; case, spacing and a full stop at the end make no other answer.

    Hashes say which records may be in one, 16 bytes each; only those are read again, one question after the other.
    """
    found = [_place(conflict, records, rows) for rows in _likely(records) for conflict in _within(records, rows)]
    return Conflicts(_records=records, _found=found, _of={row: one for one in found for row in one.rows})


def _likely(records: Iterable[InstructionRecord]) -> Iterator[tuple[int, ...]]:
    """Yield the places of records whose question has the same hash, where their answers have several."""
    hashes = array("Q")
    for record in records:
        hashes.append(_hash(_bare(record.instruction), _bare(record.context)))
        hashes.append(_hash(_bare(record.response)))
    questions, answers = np.frombuffer(hashes, np.uint64).reshape(-1, 2).T
    order = np.argsort(questions, kind="stable")
    ends = np.flatnonzero(np.diff(questions[order])) + 1
    for start, end in pairwise((0, *ends.tolist(), len(order))):
        if end - start > 1 and len(np.unique(answers[order[start:end]])) > 1:
            yield tuple(order[start:end].tolist())


def _hash(*texts: str) -> int:
    return int.from_bytes(hashlib.blake2b("\0".join(texts).encode(), digest_size=8).digest())


def _within(records: Spool, rows: Sequence[int]) -> Iterator[Conflict]:
    """Yield the conflicts among the records at these places: one, unless two questions have the same hash."""
    asked: dict[tuple[str, str], dict[str, InstructionRecord]] = defaultdict(dict)
    members: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for record in map(records.__getitem__, rows):
        question = (_bare(record.instruction), _bare(record.context))
        answers, answer = asked[question], _bare(record.response)
        members[question][answer].add(record.id)
        if answer not in answers or record.id < answers[answer].id:
            answers[answer] = record
    for question, answers in asked.items():
        if len(answers) > 1:
            together = tuple(sorted(answers.values(), key=lambda one: one.id))
            same = tuple(tuple(sorted(members[question][_bare(one.response)])) for one in together)
            yield Conflict(kind=_kind(together), records=together, same=same)


def _place(conflict: Conflict, records: Spool, rows: Sequence[int]) -> _Found:
    """Return a conflict by the places of its records."""
    ids = {member for same in conflict.same for member in same}
    places = {row: records[row].id for row in rows}
    own = tuple(row for row, name in places.items() if name in ids)
    row_of = {name: row for row, name in places.items()}
    one, other = conflict.records[:2]
    return _Found(conflict.kind, one.id, own, (row_of[one.id], row_of[other.id]))


def _kind(records: Sequence[InstructionRecord]) -> Kind:
    """Say whether the answers exclude one another: to a closed task, short ones or ones with other numbers."""
    if _OPEN.search(records[0].instruction):
        return "variation"
    short = all(len(one.response.split()) <= FEW_WORDS for one in records)
    numbers = {frozenset(_NUMBER.findall(one.response)) for one in records}
    return "contradiction" if short or (len(numbers) == len(records) and frozenset() not in numbers) else "variation"


def _bare(text: str) -> str:
    return normal_form(text).rstrip(".!? ")
