"""The stage `survey`: what only shows when all records are looked at together. It flags, and rejects nothing."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

from curation.filters.conflicts import CONFLICT, find_conflicts
from curation.filters.stop_strings import count_numbered, missing_strings
from curation.spool import Spool
from schemas.outcome import SILENT, Aside, Outcome
from schemas.record import InstructionRecord, flagged

CONFLICTS, MISSING = "conflicts", "missing_strings"
"""Rows left aside: questions with more than one answer, for people; and strings that should occur and never do."""
SURVEY_REASONS = {CONFLICT: "Another record asks the same and is answered differently."}
"""Every code that a survey can give, in plain words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """Flags records that contradict each other, and looks for the traces of a stop string."""

    flag_variations: bool = False
    """Flag also records whose different answers may all be right, as to a task that asks for a story."""

    @property
    def name(self) -> str:
        """The word for this stage in manifests and recipes."""
        return "survey"

    def __call__(self, records: Iterable[InstructionRecord], aside: Aside = SILENT, /) -> Iterator[Outcome]:
        """Yield every record, flagged where another one contradicts it; meanwhile records wait on disk."""
        pool = Spool.of(records)
        conflicts = find_conflicts(pool)
        for conflict in conflicts.all():
            aside.leave(CONFLICTS, conflict.row())
        for missing in missing_strings(count_numbered(pool)):
            aside.leave(MISSING, asdict(missing))
        for row, record in enumerate(pool):
            reason = conflicts.reason(row, record, variations=self.flag_variations)
            yield record if reason is None else flagged(record, reason)
