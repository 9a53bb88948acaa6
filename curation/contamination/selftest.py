"""How well it would have found what is there: items planted in disguise, and tasks that are in no benchmark.

A clean result means as much as this table says.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from curation.contamination.benchmark import Item
from curation.contamination.detect import Detector, Found
from curation.contamination.plants import PLANTS
from curation.generate.seeds import SHIPPED, read_seeds
from schemas.record import InstructionRecord

PHANTOM = "no plant: seed tasks"
"""The line of the table that says how often something is found that is not there."""
METHODS = ("exact", "13 tokens", "8 tokens", "embedding")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the table."""

    plant: str
    """What was done to the items."""
    tried: int
    found: int
    """Plants that led back to the item they were made of; of seed tasks, those that were taken for any item."""
    by_method: dict[str, int]
    """Method -> plants it found."""

    @property
    def ratio(self) -> float:
        """Share (0 to 1) that was found."""
        return self.found / self.tried if self.tried else 0.0


def self_test(detector: Detector, most: int) -> Iterator[Line]:
    """Plant up to `most` items in each disguise, and look for them; then look at tasks that are known to be clean."""
    prompts = [number for number, item in enumerate(detector.items) if not item.is_answer]
    chosen = prompts[:: max(1, -(-len(prompts) // most))]
    for plant, change in PLANTS.items():
        pairs = [(number, _planted(detector.items[number], change(detector.items[number].text))) for number in chosen]
        if plant != "word for word":
            pairs = [(number, record) for number, record in pairs if record.instruction != detector.items[number].text]
        found = list(detector.found([record for _, record in pairs]))
        led_back = [one for (number, _), one in zip(pairs, found, strict=True) if _is_of(detector.items, one, number)]
        yield _line(plant, len(pairs), led_back)
    seeds = read_seeds(SHIPPED)
    yield _line(PHANTOM, len(seeds), list(detector.found(seeds)))


def _planted(item: Item, text: str) -> InstructionRecord:
    return InstructionRecord(instruction=text, context=item.context, response="It depends.")


def _is_of(items: Sequence[Item], found: Found | None, number: int) -> bool:
    """Say whether the find is the item, or one with the same text."""
    return found is not None and (found.hit.item == number or items[found.hit.item].text == items[number].text)


def _line(plant: str, tried: int, found: Sequence[Found | None]) -> Line:
    methods = [one.hit.method for one in found if one is not None]
    return Line(
        plant=plant,
        tried=tried,
        found=len(methods),
        by_method={method: methods.count(method) for method in METHODS},
    )
