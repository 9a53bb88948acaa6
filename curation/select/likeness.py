"""Which records ask for nearly the same: every pair above a cosine, exactly, as dedupe finds and decides them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from curation.dedupe.compare import Comparison
from curation.dedupe.prompts import prompt_of
from curation.select.choose import Like
from curation.spool import Records


def alike(records: Records, comparison: Comparison, limit: float) -> Callable[[int], Iterable[Like]]:
    """Return which records each is too like: those whose prompts have a cosine above `limit`.

    With a limit of 1 nobody is too like anybody, and nothing is encoded.
    """
    if limit >= 1:
        return lambda _: ()
    ranks: dict[str, list[int]] = defaultdict(list)
    for rank, record in enumerate(records):
        ranks[prompt_of(record).text].append(rank)
    ranks.pop("", None)  # nothing is like a prompt that says nothing
    texts = sorted(ranks)
    asking = [ranks[text] for text in texts]
    place_of = {rank: place for place, some in enumerate(asking) for rank in some}
    near = _near(texts, comparison, limit)

    def found(rank: int) -> Iterable[Like]:
        if (own := place_of.get(rank)) is not None:
            yield from (Like(other, 1.0) for other in asking[own] if other != rank)
            yield from (Like(other, cosine) for place, cosine in near.get(own, ()) for other in asking[place])

    return found


def _near(texts: Sequence[str], comparison: Comparison, limit: float) -> dict[int, list[tuple[int, float]]]:
    """Return for each text the others that are too like it, and how like."""
    near: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for first, second, score in zip(*comparison.pairs(texts, limit), strict=True):
        if score > limit:
            near[int(first)].append((int(second), float(score)))
            near[int(second)].append((int(first), float(score)))
    return near
