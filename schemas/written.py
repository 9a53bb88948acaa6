"""Outcomes as they stand on disk: what a worker sends back, so that the process which writes only has to append."""

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.codec import write_record, write_rejection
from schemas.outcome import Outcome, Rejection
from schemas.tally import Tally

NAMES = RECORDS, REJECTED = "records.jsonl", "rejected.jsonl"
"""The files that every step has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The lines of some outcomes, one after another, and their counts."""

    records: bytes
    """As many lines as the tally has kept records."""
    rejected: bytes
    """As many lines as the tally has rejected rows."""
    tally: Tally


def written(outcomes: Iterable[Outcome]) -> Written:
    """Write outcomes down."""
    lines: dict[str, list[bytes]] = {name: [] for name in NAMES}
    tally = Tally()
    for outcome in outcomes:
        tally.add(outcome)
        name, line = line_of(outcome)
        lines[name].append(line)
    return Written(records=b"".join(lines[RECORDS]), rejected=b"".join(lines[REJECTED]), tally=tally)


def line_of(outcome: Outcome) -> tuple[str, bytes]:
    """Return the file that an outcome belongs into, and its line there."""
    if isinstance(outcome, Rejection):
        return REJECTED, write_rejection(outcome)
    return RECORDS, write_record(outcome)
