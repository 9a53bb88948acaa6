"""Outcomes as they stand on disk: what a worker sends back, so that the process which writes only has to append."""

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.codec import write_record, write_rejection
from schemas.outcome import Outcome, Rejection
from schemas.tally import Tally


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
    records, rejected, tally = [], [], Tally()
    for outcome in outcomes:
        tally.add(outcome)
        if isinstance(outcome, Rejection):
            rejected.append(write_rejection(outcome))
        else:
            records.append(write_record(outcome))
    return Written(records=b"".join(records), rejected=b"".join(rejected), tally=tally)
