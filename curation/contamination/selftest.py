"""How well it would have found what is there: items planted in disguise, and tasks that are in no benchmark.

A clean result means as much as this table says.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from curation.contamination.benchmark import Item
from curation.contamination.detect import Detector, Found
from curation.contamination.plants import PLANTS
from curation.generate.seeds import SHIPPED, read_seeds
from schemas.record import InstructionRecord

PHANTOM = "no plant: seed tasks"
"""The line of the table that says how often something is found that is not there."""
IN_RESPONSE = ", in the response"
"""What the names of plants in responses end with."""
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
    """Plant up to `most` items in each disguise, and look for them; then look at tasks that are known to be clean.

    They are planted in instructions, and where responses are compared by their meaning in responses, too: there prompts
    and answers.
    """
    prompts = [number for number, item in enumerate(detector.items) if not item.is_answer]
    yield from _planted(detector, _some(prompts, most), _asked, "")
    if "response" in detector.sides:
        yield from _planted(detector, _some(range(len(detector.items)), most), _said, IN_RESPONSE)
    seeds = read_seeds(SHIPPED)
    yield _line(PHANTOM, len(seeds), list(detector.found(seeds)))


def _planted(
    detector: Detector, chosen: Sequence[int], plant_in: Callable[[Item, str], InstructionRecord], where: str
) -> Iterator[Line]:
    for plant, change in PLANTS.items():
        changed = [(number, detector.items[number], change(detector.items[number].text)) for number in chosen]
        pairs = [
            (number, plant_in(item, text))
            for number, item, text in changed
            if text != item.text or plant == "word for word"
        ]
        found = list(detector.found([record for _, record in pairs]))
        led_back = [one for (number, _), one in zip(pairs, found, strict=True) if _is_of(detector.items, one, number)]
        yield _line(f"{plant}{where}", len(pairs), led_back)


def _some(numbers: Sequence[int], most: int) -> Sequence[int]:
    return numbers[:: max(1, -(-len(numbers) // most))]


def _asked(item: Item, text: str) -> InstructionRecord:
    return InstructionRecord(instruction=text, context=item.context, response="It depends.")


def _said(item: Item, text: str) -> InstructionRecord:
    return InstructionRecord(instruction="Go on.", response=f"{text}\n{item.context}".strip())


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
