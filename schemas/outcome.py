"""What a step makes of one row: a record (kept) or a rejection, and why.

A stage is a callable from records to outcomes, one each, in input order. A check is a pure function of one record.
Both are frozen dataclasses whose fields are plain data, so that their settings are their description.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, runtime_checkable

from schemas.record import InstructionRecord, Provenance, Reason, Repair, Row, digest16, to_row

Finding: TypeAlias = Reason | Repair | None
"""What a check says of a record: nothing, a reason against it, or a repair of one field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A row that was not kept, as it came in, with one or more reasons."""

    row: Row
    """The row as it came in; `{"raw": text}` where it could not be parsed."""
    reasons: tuple[Reason, ...]
    """Why, each with its evidence; never empty."""
    provenance: Provenance = field(default_factory=Provenance)
    """Where the row stood."""
    id: str = ""
    """The record's id if it ever was a record, else the id of the row's own bytes."""

    def __post_init__(self) -> None:
        """Refuse a rejection without a reason: nothing may vanish unexplained."""
        if not self.reasons:
            message = "a rejection needs at least one reason"
            raise ValueError(message)
        if not self.id:
            object.__setattr__(self, "id", digest16(self.row))


Outcome: TypeAlias = InstructionRecord | Rejection


def reject(record: InstructionRecord, *reasons: Reason) -> Rejection:
    """Turn a record into the rejection that holds it whole."""
    return Rejection(row=to_row(record), reasons=reasons, provenance=record.provenance, id=record.id)


class Aside(Protocol):
    """What a stage may say besides its outcomes: rows for a file of its own, and how far it has come."""

    def leave(self, name: str, row: Mapping[str, Any]) -> None:
        """Append `row` to `NAME.jsonl` in the step directory."""

    def progress(self, what: str, done: int, total: int | None = None, note: str = "") -> None:
        """Say that `done` of `total` units of `what` are finished (`total` None: unknown), and how it goes."""


@runtime_checkable
class Watches(Protocol):
    """An aside that also shows how a long work stands, not only how far it has come."""

    def watch(self, view: Mapping[str, Any]) -> None:
        """Show how it stands: plain data, the latest of it."""


class _Silent:
    """An aside that nobody listens to."""

    def leave(self, name: str, row: Mapping[str, Any]) -> None:
        """Drop the row."""

    def progress(self, what: str, done: int, total: int | None = None, note: str = "") -> None:
        """Say nothing."""


SILENT: Aside = _Silent()


class Check(Protocol):
    """A pure, picklable function of one record, the same in a loop, a process pool or a cluster."""

    def __call__(self, record: InstructionRecord, /) -> Finding:
        """Return nothing, a reason, or a repair."""


class Stage(Protocol):
    """Turns records into outcomes: exactly one each, in input order."""

    @property
    def name(self) -> str:
        """The word for this stage in manifests and recipes."""

    def __call__(self, records: Iterable[InstructionRecord], aside: Aside = SILENT, /) -> Iterator[Outcome]:
        """Yield one outcome per record, in order."""


class Source(Protocol):
    """Makes outcomes out of something that is not records yet: a foreign file, a model's answers."""

    @property
    def name(self) -> str:
        """The word for this source in manifests and recipes."""

    def __call__(self, aside: Aside = SILENT, /) -> Iterator[Outcome]:
        """Yield one outcome per row."""
