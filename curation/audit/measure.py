"""What was caught, by which code, and how sure that is."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal

from curation.audit.catalogue import Defect
from curation.audit.sow import Plant
from curation.audit.trace import Fate, Fates, ids
from schemas.interval import wilson
from schemas.outcome import Outcome, Rejection
from schemas.record import InstructionRecord, to_row

How = Literal["rejected", "repaired", "flagged", "kept"]
"""What became of a plant; the first that is true."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catch:
    """What a recipe made of one plant."""

    id: str
    """Of the plant."""
    host: str
    """Id of the sound record."""
    defect: str
    how: How
    codes: tuple[str, ...]
    """Codes of the reasons, repairs and flags that it was given."""
    right: bool
    """One of them is a code that the defect expects; of two copies, the one names the other."""
    restored: bool = False
    """The repair gave the sound record back."""
    step: str = ""
    """The stage that rejected it, or its host for it."""


def catch(plant: Plant, defect: Defect, seen: Fates) -> tuple[Catch, Outcome]:
    """Return what became of a plant, and the outcome that holds it."""
    own = _own(plant, seen)
    pair = (own, *_others(plant, defect, seen, own))
    lost = next((fate for fate in pair if not fate.kept), None)
    codes = (*(lost.reasons if lost else ()), *_noted(plant.record, own.outcome))
    right = any(code in defect.expects for code in codes) and not (lost and defect.beside and not _names(lost, plant))
    caught = Catch(
        id=plant.record.id,
        host=plant.host.id,
        defect=plant.defect,
        how=_how(plant.record, lost, own.outcome),
        codes=codes,
        right=right,
        restored=own.kept and own.outcome.id == plant.host.id != plant.record.id,
        step=lost.step if lost else "",
    )
    return caught, own.outcome


def _own(plant: Plant, seen: Fates) -> Fate:
    """Return the plant's own fate; of two equal copies the one that was rejected is taken for the plant."""
    return min(seen[plant.record.id], key=lambda fate: fate.kept)


def _others(plant: Plant, defect: Defect, seen: Fates, own: Fate) -> Iterator[Fate]:
    """Yield the fate of the record that the plant stands beside: it may have gone in the plant's stead."""
    if defect.beside:
        yield from (fate for fate in seen[plant.host.id] if fate is not own)


def _names(lost: Fate, plant: Plant) -> bool:
    """Say whether one of the two copies was rejected because of the other."""
    named = {reason.other for reason in lost.outcome.reasons} if isinstance(lost.outcome, Rejection) else set()
    return bool(named & {plant.host.id, plant.record.id})


def _noted(before: InstructionRecord, after: Outcome) -> tuple[str, ...]:
    """Return the codes of the repairs and flags that were added, also where the record was rejected later."""
    row = after.row if isinstance(after, Rejection) else to_row(after)
    repairs, flags = row.get("repairs", ())[len(before.repairs) :], row.get("flags", ())[len(before.flags) :]
    return tuple(str(one["code"]) for one in (*repairs, *flags))


def _how(before: InstructionRecord, lost: Fate | None, after: Outcome) -> How:
    if lost is not None or isinstance(after, Rejection):
        return "rejected"
    if len(after.repairs) > len(before.repairs):
        return "repaired"
    return "flagged" if len(after.flags) > len(before.flags) else "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How many of a defect's plants were caught, with the 95 % intervals of the shares."""

    defect: str
    family: str
    words: str
    """What is wrong with them."""
    harmless: bool
    """They are no defects: here `any` counts false alarms."""
    expects: tuple[str, ...]
    planted: int
    right: int
    """Caught under a code that is right for it."""
    any: int
    """Rejected, repaired or flagged under any code."""
    rejected: int
    repaired: int
    flagged: int
    restored: int
    """Repaired to what the record was before."""
    right_interval: tuple[float, float]
    any_interval: tuple[float, float]
    codes: Mapping[str, int]
    """Code → plants that were given it."""


def rates(catches: Iterable[Catch], defects: Mapping[str, Defect]) -> list[Rate]:
    """Return the rate of each defect, in the catalogue's order; those that found no host have none planted."""
    by_defect: dict[str, list[Catch]] = {name: [] for name in defects}
    for one in catches:
        by_defect[one.defect].append(one)
    return [_rate(name, defects[name], some) for name, some in by_defect.items()]


def _rate(name: str, defect: Defect, some: Sequence[Catch]) -> Rate:
    how = Counter(one.how for one in some)
    right, caught = sum(one.right for one in some), len(some) - how["kept"]
    return Rate(
        defect=name,
        family=defect.family,
        words=defect.words,
        harmless=defect.harmless,
        expects=defect.expects,
        planted=len(some),
        right=right,
        any=caught,
        rejected=how["rejected"],
        repaired=how["repaired"],
        flagged=how["flagged"],
        restored=sum(one.restored for one in some),
        right_interval=wilson(right, len(some)),
        any_interval=wilson(caught, len(some)),
        codes=dict(Counter(code for one in some for code in set(one.codes)).most_common()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Untouched:
    """What became of the records without a defect of ours: planted or not, they are somebody's data."""

    rows: int
    """Records of the data."""
    rejected: int
    """Rejected where nothing was planted: bad records and false alarms together."""
    rejected_interval: tuple[float, float]
    reasons: Mapping[str, int]
    seen: int
    """Untouched records over all copies with plants."""
    more: int
    """Rejected there and not where nothing was planted: what the plants did to their neighbours."""
    fewer: int
    """Kept there and rejected where nothing was planted."""
    more_interval: tuple[float, float]


def untouched(
    rows: int, plain: Sequence[Fate], copies: Iterable[tuple[Sequence[Fate], AbstractSet[str], int]]
) -> Untouched:
    """Compare the run without plants with each run with plants.

    A copy is what was rejected in it, the ids that plants touched, and how many records it left untouched.
    """
    before = _ids(plain)
    seen = more = fewer = 0
    for after, touched, count in copies:
        seen += count
        more += sum(ids(fate.outcome).isdisjoint(touched | before) for fate in after)
        gone = touched | _ids(after)
        fewer += sum(ids(fate.outcome).isdisjoint(gone) for fate in plain)
    return Untouched(
        rows=rows,
        rejected=len(plain),
        rejected_interval=wilson(len(plain), rows),
        reasons=dict(Counter(code for fate in plain for code in set(fate.reasons)).most_common()),
        seen=seen,
        more=more,
        fewer=fewer,
        more_interval=wilson(more, seen),
    )


def _ids(fates: Iterable[Fate]) -> set[str]:
    return {name for fate in fates for name in ids(fate.outcome)}
