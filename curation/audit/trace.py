"""What a recipe's steps made of certain records."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from schemas.outcome import Outcome, Rejection
from schemas.record import InstructionRecord
from schemas.step import StepDirectory


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """Where the way of a record through the steps ended."""

    outcome: Outcome
    step: str = ""
    """The stage that rejected it; empty where it was kept to the end."""

    @property
    def kept(self) -> bool:
        """True where no step rejected it."""
        return not isinstance(self.outcome, Rejection)

    @property
    def reasons(self) -> tuple[str, ...]:
        """The codes it was rejected for; none where it was kept."""
        return tuple(reason.code for reason in self.outcome.reasons) if isinstance(self.outcome, Rejection) else ()


Fates: TypeAlias = Mapping[str, Sequence[Fate]]
"""Id at the beginning → the fate of each record that had it."""


def fates(steps: Sequence[StepDirectory], wanted: Collection[str]) -> Fates:
    """Return what became of the records with these ids; one that was repaired on the way is found by its former id."""
    found: dict[str, list[Fate]] = defaultdict(list)
    for fate in _ends(steps):
        for name in ids(fate.outcome):
            if name in wanted:
                found[name].append(fate)
    return found


def rejected(steps: Sequence[StepDirectory]) -> list[Fate]:
    """Return the fate of every rejected record; of several that say the same each counts."""
    return [fate for fate in _ends(steps) if not fate.kept]


def ids(outcome: Outcome) -> set[str]:
    """Return every id that a record has had."""
    return {*outcome.provenance.previous, outcome.id}


def sound(steps: Sequence[StepDirectory], data: StepDirectory) -> Iterator[InstructionRecord]:
    """Yield the records of the data that the steps kept without finding anything to repair or to note."""
    kept = {one.id: (one.repairs, one.flags) for one in steps[-1].records()}
    for record in data.records():
        if kept.get(record.id) == (record.repairs, record.flags):
            yield record


def _ends(steps: Sequence[StepDirectory]) -> Iterator[Fate]:
    for step in steps:
        for rejection in step.rejections():
            yield Fate(outcome=rejection, step=step.manifest.stage)
    for record in steps[-1].records():
        yield Fate(outcome=record)
