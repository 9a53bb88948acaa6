"""How a review reads on a terminal."""

from collections.abc import Iterable, Iterator

from curation.review.standing import QueueStanding


def standing_text(found: Iterable[QueueStanding]) -> str:
    """Return each queue on a line, with what was decided in it under it."""
    return "\n".join(line for one in found for line in _lines(one))


def _lines(one: QueueStanding) -> Iterator[str]:
    yield f"{one.queue:10} {one.done:>7,} of {one.total:>7,} decided  {one.words}"
    parts = [f"{number:,} {action}" for action, number in one.actions.items()]
    parts += [f"{number:,} {reason}" for reason, number in one.reasons.items()]
    if parts:
        yield f"{'':10} {', '.join(parts)}"
    if one.others:
        yield f"{'':10} others: {', '.join(f'{name} {number:,}' for name, number in one.others.items())}"
