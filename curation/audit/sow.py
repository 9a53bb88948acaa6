"""Draws which records become which defects: seeded, the same for any order of the data."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TypeAlias

from curation.audit.catalogue import Defect
from curation.audit.host import Host
from schemas.record import InstructionRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """A defect, where it was planted, and what came of it."""

    defect: str
    """Name in `DEFECTS`."""
    host: InstructionRecord
    """The sound record."""
    record: InstructionRecord
    """The defective one: in the host's place, or beside it."""


Round: TypeAlias = tuple[Plant, ...]
"""The plants of one copy of the data; no record is the host of two of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sowing:
    """How much is planted."""

    per_defect: int = 40
    """Plants of each defect, where the data have a place for so many."""
    share: float = 0.5
    """Share (0 to 1) of the sound records that become hosts in one copy at most: the rest stays as it is."""
    rounds: int = 20
    """Copies of the data at most."""
    seed: int = 1
    """Draws the hosts, and what the mutators choose."""


def sow(defects: Mapping[str, Defect], hosts: Sequence[InstructionRecord], how: Sowing) -> list[Round]:
    """Return the plants by copy of the data, as few copies as hold them all; no two plants have the same content."""
    hosts = sorted({one.id: one for one in hosts}.values(), key=lambda one: one.id)
    taken = {one.id for one in hosts}
    beds = [_Bed(name, defect, hosts, how, taken) for name, defect in defects.items()]
    rounds: list[Round] = []
    while len(rounds) < how.rounds and any(bed.open for bed in beds):
        plants = tuple(_fill(beds, max(1, int(how.share * len(hosts)))))
        if not plants:
            break
        rounds.append(plants)
    return rounds


def _fill(beds: Iterable["_Bed"], room: int) -> Iterator[Plant]:
    """Yield the plants of one copy: each defect in turn, until there is no room or nothing left to plant."""
    busy: set[str] = set()
    beds = list(beds)
    while len(busy) < room:
        before = len(busy)
        for bed in sorted(beds, key=lambda one: one.planted):  # the rarest first, so that few hosts serve all
            if len(busy) < room and bed.open and (plant := bed.plant(busy)):
                busy.add(plant.host.id)
                yield plant
        if len(busy) == before:
            return


@dataclass(slots=True)
class _Bed:
    """Where one defect is planted: its hosts in an order of its own, and what it still lacks."""

    name: str
    defect: Defect
    hosts: Sequence[InstructionRecord]
    how: Sowing
    taken: set[str]
    """Ids that no plant may have; shared by all beds."""
    left: list[int] = field(init=False)
    """Hosts that were not tried, the next one last."""
    planted: int = 0

    def __post_init__(self) -> None:
        """Shuffle the hosts."""
        self.left = list(range(len(self.hosts)))
        _random(self.how.seed, self.name).shuffle(self.left)

    @property
    def open(self) -> bool:
        """True while plants are wanted and there are hosts to try."""
        return self.planted < self.how.per_defect and bool(self.left)

    def plant(self, busy: set[str]) -> Plant | None:
        """Plant into the next host that is free and has a place for it; those that have none are not tried again."""
        waiting = []
        found = None
        while self.left and found is None:
            at = self.left.pop()
            if self.hosts[at].id in busy:
                waiting.append(at)
            else:
                found = self._try(self.hosts[at])
        self.left += reversed(waiting)
        return found

    def _try(self, record: InstructionRecord) -> Plant | None:
        rng = _random(self.how.seed, self.name, record.id)
        host = Host(record=record, other=rng.choice(self.hosts), rng=rng)
        made = self.defect.plant(host)
        copy = self.defect.beside and made is not None and made.id == record.id
        if made is None or (made.id in self.taken and not copy):
            return None
        self.taken.add(made.id)
        self.planted += 1
        return Plant(defect=self.name, host=record, record=made)


def planted(
    records: Iterable[InstructionRecord], plants: Round, defects: Mapping[str, Defect]
) -> Iterator[InstructionRecord]:
    """Yield a copy of the data with the plants in it, each once: in its host's place, or after it."""
    left = {plant.host.id: plant for plant in plants}
    for record in records:
        plant = left.pop(record.id, None)
        if plant is None or defects[plant.defect].beside:
            yield record
        if plant is not None:
            yield plant.record


def _random(*parts: object) -> Random:
    """Return random numbers that depend on the parts alone, on any machine."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return Random(int.from_bytes(digest[:8]))  # noqa: S311  # not a secret
