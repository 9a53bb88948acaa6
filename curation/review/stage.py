"""Applies people's decisions to the records they were made about: a pure function of record and decision."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curation.review.decisions import Decision
from curation.review.resolve import decisions_in
from curation.visible import on_one_line
from schemas.manifest import FileDigest, digest_file
from schemas.outcome import SILENT, Aside, Outcome, reject
from schemas.record import TEXT_FIELDS, InstructionRecord, Reason, Repair, Row, repaired


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Rejects and corrects the records that people decided about; all others stay as they are."""

    decisions: str = field(metadata={"identity": False})
    """The file of decisions, exported or edited by hand; what counts for identity is its bytes."""

    @property
    def name(self) -> str:
        """The stage's name."""
        return "review"

    def inputs(self) -> list[FileDigest]:
        """Return the digest of the decisions, which are read besides the records."""
        decisions_in(Path(self.decisions))
        return [digest_file(Path(self.decisions))]

    def __call__(self, records: Iterable[InstructionRecord], aside: Aside = SILENT) -> Iterator[Outcome]:
        """Yield one outcome per record; leave in `decisions` what became of each decision."""
        decisions = decisions_in(Path(self.decisions))
        by_id = {one.id: one for one in decisions if one.on_kept}
        met: set[str] = set()
        for record in records:
            decision = by_id.get(record.id)
            if decision is not None:
                met.add(record.id)
            yield decide(record, decision)
        for one in decisions:
            aside.leave("decisions", _kept_note(one, met=one.id in met))


def decide(record: InstructionRecord, decision: Decision | None) -> Outcome:
    """Return what a decision makes of the record it is about."""
    if decision is None or decision.decision in ("", "accept"):
        return record
    if decision.decision == "reject":
        return reject(record, Reason(code="reviewer_rejected", found=decision.note))
    return _edited(record, decision)


def _edited(record: InstructionRecord, decision: Decision) -> InstructionRecord:
    changed = record
    for name in TEXT_FIELDS:
        old, new = getattr(record, name), decision.texts[name]
        if old != new:
            changed = repaired(changed, Repair(code="reviewer_edited", field=name, old=old, new=new))
    return changed


def _kept_note(one: Decision, *, met: bool) -> dict[str, Any]:
    """Return a decision as evidence. `stale`: no record with this content came in, so nothing was done."""
    return {
        "id": one.id,
        "decision": one.decision or None,
        "note": one.note,
        "line": one.line,
        "stale": one.on_kept and not met,
        "drawn": dict(one.drawn),
    }


def stale_words(rows: Iterable[Row], file: Path, directory: Path) -> Iterator[str]:
    """Yield a line for each decision that was not applied: where it stands, what was expected and found."""
    for row in rows:
        if row["stale"]:
            place = f"{file}:{row['line']}" if row["line"] else f"{file}"
            yield (
                f"{place}: id: expected a record of {directory}, "
                f"found {on_one_line(row['id'])}, which is not there; {row['decision'] or 'undecided'} was not applied"
            )
