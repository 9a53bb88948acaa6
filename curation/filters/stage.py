"""The stage `filter`: repairs first, then every other check on the repaired record."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from curation.filters.catalogue import CHECKS, Action, ChosenCheck, choose
from curation.filters.findings import evidence
from schemas.outcome import SILENT, Aside, Check, Finding, Outcome, reject
from schemas.record import InstructionRecord, Reason, Repair, flagged, repaired

REPORT_EVERY = 1000
"""Records between two reports of progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Rejects, flags or repairs records by the checks of `curation.filters.catalogue.CHECKS`."""

    by_record: ClassVar[bool] = True
    """Every record is judged by itself."""

    checks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By reason code: `action` (reject, flag, repair, off) and thresholds; a check that is not named has its defaults.

    Afterwards it holds every check with all its settings, so that the manifest says exactly what was applied.
    """

    def __post_init__(self) -> None:
        """Fill in the defaults and refuse what is unknown.

        Raises:
            InputError: an unknown check, action or threshold.
        """
        for code in self.checks:
            choose(code, self.checks[code])
        complete = {code: choose(code, self.checks.get(code, {})).settings() for code in CHECKS}
        object.__setattr__(self, "checks", complete)

    @property
    def name(self) -> str:
        """The word for this stage in manifests and recipes."""
        return "filter"

    def __call__(self, records: Iterable[InstructionRecord], aside: Aside = SILENT, /) -> Iterator[Outcome]:
        """Yield one outcome per record, in order."""
        chosen = self.chosen()
        number = 0
        for number, record in enumerate(records, 1):
            yield judge(record, chosen)
            if number % REPORT_EVERY == 0:
                aside.progress("records", number)
        aside.progress("records", number, number)

    def chosen(self) -> tuple[ChosenCheck, ...]:
        """Return the checks that run: those that repair first."""
        running = [choose(code, settings) for code, settings in self.checks.items() if settings["action"] != "off"]
        return tuple(sorted(running, key=lambda one: one.action != "repair"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one check says of one record."""

    code: str
    action: Action
    """What follows if there is a finding."""
    finding: Finding = None
    """Nothing where the record passed."""


def judge(record: InstructionRecord, chosen: Iterable[ChosenCheck]) -> Outcome:
    """Return what becomes of one record: rejected as it came in with every reason, or kept, repaired and flagged.

    A pure function of picklable things: it can run anywhere.
    """
    kept, reasons = record, []
    for one in chosen:  # those that repair come first
        finding = one.check(kept)
        if finding is None:
            continue
        if one.action == "repair":
            kept = repair_all(kept, one.check, finding)
        elif one.action == "flag":
            kept = flagged(kept, as_reason(finding))
        else:
            reasons.append(as_reason(finding))
    return reject(record, *reasons) if reasons else kept


def repair_all(record: InstructionRecord, check: Check, finding: Finding) -> InstructionRecord:
    """Make the repair that was found, and those that the check still finds: it may be due in several fields."""
    while finding is not None:
        record = repaired(record, as_repair(finding))
        finding = check(record)
    return record


def verdicts(record: InstructionRecord, chosen: Iterable[ChosenCheck]) -> tuple[Verdict, ...]:
    """Return what every check says of one record, those that pass it included: for `explain`."""
    said = []
    for one in chosen:
        finding = one.check(record)
        said.append(Verdict(code=one.code, action=one.action, finding=finding))
        if one.action == "repair" and finding is not None:
            record = repair_all(record, one.check, finding)
    return tuple(said)


def as_reason(finding: Reason | Repair) -> Reason:
    """Return the finding as a reason: a repair that is not to be made is a reason against the record."""
    if isinstance(finding, Reason):
        return finding
    return Reason(code=finding.code, field=finding.field, found=evidence(finding.old), limit=evidence(finding.new))


def as_repair(finding: Reason | Repair) -> Repair:
    """Return the finding as a repair; `choose` lets only checks that make repairs be asked for one."""
    assert isinstance(finding, Repair)
    return finding
