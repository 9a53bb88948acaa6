"""Which records ask for nearly the same: every pair above a cosine, exactly, as dedupe finds and decides them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from curation.dedupe.compare import Comparison
from curation.dedupe.prompts import prompt_of
from curation.select.choose import Like
from schemas.record import InstructionRecord


def alike(
    records: Sequence[InstructionRecord], comparison: Comparison, limit: float
) -> Callable[[int], Iterable[Like]]:
    """Return which records each is too like: those whose prompts have a cosine above `limit`.

    With a limit of 1 nobody is too like anybody, and nothing is encoded.
    """
    if limit >= 1:
        return lambda _: ()
    places: dict[str, list[int]] = defaultdict(list)
    for rank, record in enumerate(records):
        places[prompt_of(record).text].append(rank)
    texts = sorted(text for text in places if text)
    at = {text: place for place, text in enumerate(texts)}
    near = _near(texts, comparison, limit)

    def found(rank: int) -> Iterable[Like]:
        text = prompt_of(records[rank]).text
        if text:
            yield from (Like(other, 1.0) for other in places[text] if other != rank)
            yield from (Like(other, cosine) for place, cosine in near[at[text]] for other in places[texts[place]])

    return found


def _near(texts: Sequence[str], comparison: Comparison, limit: float) -> dict[int, list[tuple[int, float]]]:
    """Return for each text the others that are too like it, and how like."""
    near: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for first, second, score in zip(*comparison.pairs(texts, limit), strict=True):
        if score > limit:
            near[int(first)].append((int(second), float(score)))
            near[int(second)].append((int(first), float(score)))
    return near
