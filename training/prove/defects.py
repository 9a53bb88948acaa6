"""Defects that are planted into clean records, to see whether a curation gives back what they cost.

A small table of its own: what is tested here is a curation, which must not be asked what a defect is.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from typing import NamedTuple, TypeAlias

from schemas.outcome import SILENT, Aside
from schemas.record import InstructionRecord, Provenance

PLANTS = "plants"
"""The side file that says which records were planted."""
DUPLICATE = "duplicate"
CUT_WORDS = 12
"""Words that a response needs so that cutting it shows."""


class Host(NamedTuple):
    """A sound record, another one, and chance."""

    record: InstructionRecord
    other: InstructionRecord
    chance: random.Random


Mutator: TypeAlias = Callable[[Host], str | None]
"""Host → the defective response; None where this record has no place for the defect."""

REFUSALS = (
    "I'm sorry, but as an AI language model I cannot help with that request.",
    "As an AI language model, I don't have the ability to do this. Please consult a professional.",
    "I apologize, but I am unable to provide a response to this.",
)
PLACEHOLDERS = ("N/A", "[Your answer here]", "<no output>", "Response:", "...", "TODO")
FOREIGN = (
    "Ich bin mir nicht sicher, aber ich glaube, dass die Antwort in dem Buch steht, das auf dem Tisch liegt.",
    "No estoy seguro, pero creo que la respuesta se encuentra en el libro que está sobre la mesa.",
    "Je ne suis pas certain, mais je crois que la réponse se trouve dans le livre qui est posé sur la table.",
)


def _wrong_answer(host: Host) -> str | None:
    return host.other.response if host.other.response != host.record.response else None


def _truncated(host: Host) -> str | None:
    words = host.record.response.split(" ")
    if len(words) < CUT_WORDS:
        return None
    cut = " ".join(words[: host.chance.randint(len(words) // 3, 2 * len(words) // 3)])
    return cut.rstrip(" .!?:;,\n") + " the"


def _loop(host: Host) -> str | None:
    first = " ".join(host.record.response.split()[:8])
    return " ".join([first] * 12) if first else None


def _mangled(host: Host) -> str | None:
    curly = host.record.response.replace("'", "\u2019").replace('"', "\u201c").replace(" - ", " \u2013 ")
    broken = curly.encode().decode("cp1252", errors="replace")
    return broken if broken != curly else None


def _merged(host: Host) -> str | None:
    other = host.other
    return f"{host.record.response}\n\nInstruction: {other.instruction}\nOutput: {other.response}"


DEFECTS: Mapping[str, Mutator | None] = {
    "wrong_answer": _wrong_answer,
    "placeholder": lambda host: host.chance.choice(PLACEHOLDERS),
    "truncated": _truncated,
    "refusal": lambda host: host.chance.choice(REFUSALS),
    "loop": _loop,
    "wrong_language": lambda host: host.chance.choice(FOREIGN),
    "mangled_encoding": _mangled,
    "merged_task": _merged,
    DUPLICATE: None,
}
"""Defect → how it is made; a duplicate stands in the place of another record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planting:
    """A source: clean records, some of which are replaced by defective ones."""

    percent: int
    """Of the records."""
    seed: int = 1
    """Draws which, and what becomes of them."""
    clean: str = ""
    """sha256 of the clean records."""

    @property
    def name(self) -> str:
        """The source's name."""
        return "plant"

    def __call__(self, records: Sequence[InstructionRecord], aside: Aside = SILENT) -> Iterator[InstructionRecord]:
        """Yield as many records as came in, and leave a row aside for each that was replaced."""
        chance = random.Random(f"plant/{self.percent}/{self.seed}")  # noqa: S311  # not a secret
        places = chance.sample(range(len(records)), round(len(records) * self.percent / 100))
        hosts = [place for place in range(len(records)) if place not in set(places)] or list(range(len(records)))
        chosen = dict(zip(places, cycle(DEFECTS), strict=False))
        for place, record in enumerate(records):
            if place not in chosen:
                yield record
                continue
            other = records[chance.choice(hosts)]
            name, made = _made(chosen[place], Host(record, other, chance))
            aside.leave(PLANTS, {"id": made.id, "defect": name, "host": (other if name == DUPLICATE else record).id})
            yield made


def _made(wanted: str, host: Host) -> tuple[str, InstructionRecord]:
    """Return what was planted and the record: the wanted defect, or the next that this record has a place for."""
    names = list(DEFECTS)
    first = names.index(wanted)
    for name in (*names[first:], *names[:first]):
        made = _duplicate(host) if name == DUPLICATE else _with_response(host, DEFECTS[name])
        if made is not None:
            return name, made
    raise AssertionError(wanted)  # a placeholder fits everywhere


def _duplicate(host: Host) -> InstructionRecord:
    """Return the other record again, with a blank at the end, so that it is another row."""
    instruction = f"{host.other.instruction.rstrip()} "
    return replace(host.other, instruction=instruction, provenance=Provenance(source="plant"))


def _with_response(host: Host, mutate: Mutator | None) -> InstructionRecord | None:
    response = mutate(host) if mutate else None
    if response is None:
        return None
    return replace(host.record, response=response, provenance=Provenance(source="plant"))


def caught(
    plants: Iterable[Mapping[str, str]], sound: Sequence[str], kept: Sequence[InstructionRecord]
) -> dict[str, Mapping[str, int]]:
    """Count, by defect, what was planted and what of it was rejected or repaired; `sound`: the other records' ids.

    A duplicate counts as rejected where it and its original are not both kept.
    """
    ids = {record.id for record in kept}
    former = {old for record in kept for old in record.provenance.previous}
    found: dict[str, dict[str, int]] = {}
    for plant in plants:
        row = found.setdefault(plant["defect"], {"planted": 0, "rejected": 0, "repaired": 0})
        whole = plant["id"] in ids and (plant["defect"] != DUPLICATE or plant["host"] in ids)
        row["planted"] += 1
        row["repaired"] += plant["id"] in former
        row["rejected"] += not whole and plant["id"] not in former
    lost = [one for one in sound if one not in ids and one not in former]
    repaired = [one for one in sound if one not in ids and one in former]
    return {**found, "sound": {"records": len(sound), "rejected": len(lost), "repaired": len(repaired)}}
