"""Which records ask for nearly the same: every pair above a cosine, exactly, as dedupe finds and decides them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from curation.dedupe.compare import Comparison
from curation.dedupe.prompts import prompt_of
from curation.select.choose import Like
from schemas.record import InstructionRecord


def too_alike(
    records: Sequence[InstructionRecord], comparison: Comparison, limit: float
) -> Callable[[int], Iterable[Like]]:
    """Return which records each is too like: those whose prompts have a cosine above `limit`, equal ones among them.

    With a limit of 1 anything may stand beside anything, and nothing is encoded. An empty prompt is like no other.
    """
    if limit >= 1:
        return lambda _: ()
    places: dict[str, list[int]] = defaultdict(list)
    for rank, record in enumerate(records):
        places[prompt_of(record).text].append(rank)
    texts = sorted(text for text in places if text)
    near: dict[str, list[tuple[str, float]]] = defaultdict(list)
    pairs = comparison.pairs(texts, limit)
    for first, second, score in zip(*pairs, strict=True):
        if score > limit:
            near[texts[first]].append((texts[second], float(score)))
            near[texts[second]].append((texts[first], float(score)))

    def found(rank: int) -> Iterator[Like]:
        text = prompt_of(records[rank]).text
        if text:
            yield from (Like(other, 1.0) for other in places[text] if other != rank)
            yield from (Like(other, cosine) for like, cosine in near[text] for other in places[like])

    return found
