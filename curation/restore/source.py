"""Rejected rows come back as records, with a note of who put them back and why.

What comes in are the kept records of a step and those of its rejected rows that are asked for; so the step that is
written has them together, and whatever comes next reads both. Nothing is held in memory but one row.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from schemas.chain import walk
from schemas.codec import dumps, read_record
from schemas.errors import InputError
from schemas.manifest import FileDigest
from schemas.outcome import SILENT, Aside, Outcome, Rejection
from schemas.record import InstructionRecord, Reason, Restored
from schemas.step import REJECTED, StepDirectory, step_input

NOT_RESTORABLE = "not_restorable"
RESTORE_REASONS = {
    NOT_RESTORABLE: "The row never was a record, so that it cannot become one again: mend it where it came from."
}
"""Every code that a restoration can give, in plain words."""

RESTORED = "restored"
"""The rows left aside: `{"id", "step", "codes", "by", "note"}` for every row that was put back."""

SHORTEST = 4
"""Fewest characters of an id that are looked up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore:
    """The kept records of a step, and after them the rejected rows that are put back."""

    step: str = field(metadata={"identity": False})
    """The step directory; what counts for identity is the bytes."""
    reasons: tuple[str, ...] = ()
    """Codes: a row comes back if one of its reasons has one of them; none named: any code."""
    ids: tuple[str, ...] = ()
    """Ids or beginnings of ids: only these rows come back; none named: any row."""
    chain: bool = False
    """Look at the rejected rows of all steps that led to it, too."""
    by: str = ""
    """Who puts them back."""
    note: str = ""
    """Why."""

    def __post_init__(self) -> None:
        """Refuse to put everything back because nobody said what.

        Raises:
            InputError: neither a reason nor an id, or an id too short to mean one row.
        """
        if not (self.reasons or self.ids):
            raise InputError(place="restore", expected="a reason or an id of rows to put back", found="neither")
        if short := [name for name in self.ids if len(name) < SHORTEST]:
            raise InputError(place="restore", field="ids", expected=f"{SHORTEST} characters of an id", found=short[0])

    @property
    def name(self) -> str:
        """The word for this source in manifests."""
        return "restore"

    def steps(self) -> tuple[StepDirectory, ...]:
        """Return the steps whose rejected rows are looked at, the oldest first, every byte verified."""
        step = StepDirectory.open(Path(self.step))
        return walk(step).steps if self.chain else (step,)

    def inputs(self) -> list[FileDigest]:
        """Return the digests of the kept records and of the rejected rows.

        Raises:
            InputError: no row was rejected for one of the reasons.
        """
        steps = self.steps()
        given = {code for step in steps for code in step.manifest.counts.reasons}
        if missing := [code for code in self.reasons if code not in given]:
            known = ", ".join(sorted(given)) or "a step that rejected something"
            raise InputError(place=self.step, field="reason", expected=known, found=", ".join(missing))
        return [step_input(steps[-1]), *(digest for step in steps if (digest := _rejected(step)))]

    def __call__(self, aside: Aside = SILENT) -> Iterator[Outcome]:
        """Yield the kept records, then each row that is put back.

        Raises:
            InputError: an id that no rejected row has.
        """
        steps = self.steps()
        yield from steps[-1].records()
        met: set[str] = set()
        for step in steps:
            for rejection in filter(self._is_meant, step.rejections()):
                met |= {name for name in self.ids if rejection.id.startswith(name)}
                outcome = self._restored(rejection, step.path.resolve().name)
                if isinstance(outcome, InstructionRecord):
                    last = outcome.provenance.restored[-1]
                    aside.leave(
                        RESTORED,
                        {"id": outcome.id, "step": last.step, "codes": last.codes, "by": last.by, "note": last.note},
                    )
                yield outcome
        if missing := set(self.ids) - met:
            raise InputError(place=self.step, field="id", expected="the id of a rejected row", found=min(missing))

    def _is_meant(self, rejection: Rejection) -> bool:
        by_reason = not self.reasons or any(reason.code in self.reasons for reason in rejection.reasons)
        return by_reason and (not self.ids or rejection.id.startswith(self.ids))

    def _restored(self, rejection: Rejection, step: str) -> Outcome:
        """Return the row as the record that it was, or why it cannot be one."""
        try:
            record = read_record(dumps(rejection.row))
        except InputError as error:
            reason = Reason(code=NOT_RESTORABLE, field="row", found=str(error), limit="a row that was a record")
            return replace(rejection, reasons=(*rejection.reasons, reason))
        codes = tuple(reason.code for reason in rejection.reasons)
        note = Restored(step=step, codes=codes, by=self.by, note=self.note)
        came = record.provenance
        return replace(record, provenance=replace(came, restored=(*came.restored, note)))


def _rejected(step: StepDirectory) -> FileDigest | None:
    """Return a step's rejected rows as an input."""
    digest = step.manifest.output(REJECTED)
    return digest and replace(digest, path=str((step.path / REJECTED).resolve()))
