"""The same question with different answers: seen only by somebody who sees all records.

Two stories about a dog are no contradiction, two results of one sum are. So a conflict is flagged, never rejected, and
people decide; answers that are short or differ in their numbers are named `contradiction`, the others `variation`.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from curation.filters.findings import evidence
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflicts:
    """All conflicts of a set."""

    all: Sequence[Conflict]
    _of: Mapping[str, Conflict] = field(repr=False)

    def reason(self, record: InstructionRecord, *, variations: bool = False) -> Reason | None:
        """Return the flag for a record that is part of a conflict, naming one that says something else."""
        conflict = self._of.get(record.id)
        if conflict is None or (conflict.kind == "variation" and not variations):
            return None
        mine = _bare(record.response)
        other = next(one for one in conflict.records if _bare(one.response) != mine)
        found, limit = evidence(f"{conflict.kind}: {other.response}"), "one answer to one question"
        return Reason(code=CONFLICT, field="response", found=found, limit=limit, other=other.id)


def find_conflicts(records: Sequence[InstructionRecord]) -> Conflicts:
    """Find every question with more than one answer; case, spacing and a full stop at the end make no other answer."""
    asked: dict[tuple[str, str], dict[str, InstructionRecord]] = defaultdict(dict)
    members: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for record in records:
        question = (_bare(record.instruction), _bare(record.context))
        answers = asked[question]
        answer = _bare(record.response)
        members[question][answer].add(record.id)
        if answer not in answers or record.id < answers[answer].id:
            answers[answer] = record
    found = dict(_conflicts(asked, members))
    of = {member: conflict for conflict in found.values() for ids in conflict.same for member in ids}
    return Conflicts(all=tuple(found.values()), _of=of)


def _conflicts(
    asked: Mapping[tuple[str, str], Mapping[str, InstructionRecord]],
    members: Mapping[tuple[str, str], Mapping[str, set[str]]],
) -> Iterator[tuple[tuple[str, str], Conflict]]:
    for question, answers in asked.items():
        if len(answers) > 1:
            together = tuple(sorted(answers.values(), key=lambda one: one.id))
            same = tuple(tuple(sorted(members[question][_bare(one.response)])) for one in together)
            yield question, Conflict(kind=_kind(together), records=together, same=same)


def _kind(records: Sequence[InstructionRecord]) -> Kind:
    """Say whether the answers exclude one another: to a closed task, short ones or ones with other numbers."""
    if _OPEN.search(records[0].instruction):
        return "variation"
    short = all(len(one.response.split()) <= FEW_WORDS for one in records)
    numbers = {frozenset(_NUMBER.findall(one.response)) for one in records}
    return "contradiction" if short or (len(numbers) == len(records) and frozenset() not in numbers) else "variation"


def _bare(text: str) -> str:
    return normal_form(text).rstrip(".!? ")
