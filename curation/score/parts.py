"""Texts are cut into parts, and parts are measured here or by an engine's workers, each of which loads the model once.

Which texts share a batch changes the rounding of a loss. So texts are cut first, by their lengths alone, and then
spread: whoever measures a part cuts the same batches of it, and the scores are the same bytes. That holds for workers
with processors of one kind; other kinds may multiply in another order.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from curation.engine import FEW, Engine
from curation.score.cache import Measured
from curation.score.reading import Read
from schemas.errors import InputError
from schemas.losses import Losses, Text, Told, losses_of
from schemas.weights import digest_base, find_base, load_model

PART = 256
"""Records of a part, of like length: what a worker is given at a time, and what a killed run loses at most of each."""


class Part(NamedTuple):
    """Records that are measured together, wherever that is."""

    read: Sequence[Read]
    forms: Sequence[object]
    """The form of the template that each has; those of one form begin alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """The work of a worker: what it needs to load the model that the starting process means."""

    model: str
    """An alias, a path or a Hub id, the same on every machine."""
    digest: str
    """Of its weights."""
    dtype: str
    """`bf16` or `fp32`."""
    device: str
    """The kind of device that the starting process would compute on."""
    alone: int
    """The token that a response without its prompt follows."""
    batch_tokens: int
    """Padded tokens of a batch."""
    threads: int = 0
    """Threads that a worker of this machine multiplies with; 0: what it was started with."""

    def __call__(self, part: Part) -> list[Measured]:
        """Return what the model makes of a part."""
        return measure(_opened(self), part, self.alone)

    def open(self) -> Losses:
        """Load the model.

        Raises:
            InputError: no such model, or none such device here.
        """
        import torch  # noqa: PLC0415  # heavy

        here = device()
        if here.type != self.device:
            raise InputError(place="engine", expected=f"workers that compute on {self.device}", found=here.type)
        dtype = torch.bfloat16 if self.dtype == "bf16" else torch.float32
        return losses_of(load_model(find_base(self.model), dtype).to(here), self.batch_tokens)


def measured(work: Measure, parts: Sequence[Part], engine: Engine, told: Told) -> Iterator[list[Measured]]:
    """Yield what a model makes of each part, in order; `told` hears of every record twice.

    Workers of this machine measure where their number was given, since each holds the model in memory; Ray's always.
    """
    if engine.kind == "ray" or (engine.workers > 1 and len(parts) > FEW):
        for part, found in zip(parts, engine.map(work, parts), strict=True):
            told(2 * len(part.read))
            yield found
    else:
        losses = work.open()
        yield from (measure(losses, part, work.alone, told) for part in parts)


def measure(losses: Losses, part: Part, alone: int, told: Told = lambda _: None) -> list[Measured]:
    """Return what a model makes of records."""
    read, forms = part
    given: dict[int, float] = {}
    for form in dict.fromkeys(forms):
        places = [at for at, one in enumerate(forms) if one == form]
        means = losses.means([Text(read[at].prompt, read[at].response) for at in places], told)
        given |= dict(zip(places, means, strict=True))
    bare = losses.means([Text((alone,), one.response) for one in read], told)
    return [Measured(given[at], bare[at], len(one.prompt), len(one.response)) for at, one in enumerate(read)]


def threads_of(engine: Engine) -> int:
    """Return how many threads each worker of this machine gets; 0, what Ray gave it, elsewhere."""
    import torch  # noqa: PLC0415  # heavy

    return 0 if engine.kind == "ray" else max(1, torch.get_num_threads() // max(1, engine.workers))


def device() -> Any:
    """Return the device that models compute on here."""
    import torch  # noqa: PLC0415  # heavy

    kind = torch.accelerator.current_accelerator(check_available=True)
    return kind or torch.device("cpu")


@cache
def _opened(work: Measure) -> Losses:
    """Load the model in a worker, once.

    Raises:
        InputError: its weights are not those that the starting process means.
    """
    import torch  # noqa: PLC0415  # heavy

    digest = digest_base(find_base(work.model)).sha256
    if digest != work.digest:
        place = f"model {work.model!r} on a worker"
        raise InputError(place=place, expected=f"weights {work.digest[:12]}", found=digest[:12])
    if work.threads:
        torch.set_num_threads(work.threads)
    return work.open()
