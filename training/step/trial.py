"""The largest micro-batches of a run before its first step, so that memory runs out at once and not hours later.

The trial holds all that a step holds: gradients, in the precision that they are summed in, and the optimiser's moments
are there when the largest activations are. Nothing of it stays: the random generators are put back, so a run ends in
the same bytes with or without it.

Limit: a kernel that promises more memory than it has (Linux does, on a processor) ends the process instead of saying
no; it then does so at the beginning, too. `--dry-run` says before how much is needed.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import torch

from schemas.errors import DollyError
from training.records.batching import MicroBatch, computed
from training.records.encoding import Example

FULL = ("not enough memory", "DefaultCPUAllocator", "can't allocate memory", "Cannot allocate memory")
"""How torch says on a processor that memory has run out; elsewhere it has an exception of its own."""
ADVICE = (
    "Less is needed with --recompute on, --optimiser adamw-8bit or adamw-bf16, a smaller --micro-tokens, or a smaller "
    "--max-tokens where one record fills it"
)
"""What a user can change."""


def largest(steps: Iterable[Sequence[Sequence[Example]]], *, packed: bool) -> list[Sequence[Example]]:
    """Return the steps' micro-batches that need most: of activations, and of logits where that is another one."""
    parts = [part for step in steps for part in step]
    if not parts:
        return []
    most = max(parts, key=lambda part: (_computed(part, packed=packed), len(part[0].input_ids)))
    wordiest = max(parts, key=_supervised)
    return [most] if _supervised(most) == _supervised(wordiest) else [most, wordiest]


def try_largest(
    batches: Sequence[MicroBatch], backward: Callable[[MicroBatch], object], optimiser: torch.optim.Optimizer
) -> None:
    """Compute these micro-batches and forget them: weights, moments and random generators are what they were.

    Raises:
        DollyError: memory ran out; says what on, and what to change.
    """
    with _generators_kept(), _moments_held(optimiser):
        for batch in batches:
            with memory_in_words(f"the run's largest micro-batch ({_described(batch)})"):
                backward(batch)


@contextmanager
def memory_in_words(what: str) -> Iterator[None]:
    """Say in our words that memory ran out.

    Raises:
        DollyError: it did.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not _means_full(error):
            raise
        said = str(error).partition("\n")[0] or type(error).__name__
        advice = f"{ADVICE}; --dry-run says what needs how much."
        raise DollyError(f"there is not enough memory for {what}. {advice} [{said}]") from error


def _means_full(error: RuntimeError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or any(words in str(error) for words in FULL)


def _computed(part: Sequence[Example], *, packed: bool) -> int:
    """Return the tokens that are computed, padding included, and what they share once."""
    return computed(part) if packed else len(part) * len(part[0].input_ids)


def _supervised(part: Sequence[Example]) -> int:
    return sum(one.supervised for one in part)


def _described(batch: MicroBatch) -> str:
    records = "1 record" if batch.rows == 1 else f"{batch.rows} records"
    return f"{records}, {batch.padded_tokens:,} tokens, {batch.supervised:,} of them response"


@contextmanager
def _generators_kept() -> Iterator[None]:
    with torch.random.fork_rng(range(torch.cuda.device_count())):
        yield


@contextmanager
def _moments_held(optimiser: torch.optim.Optimizer) -> Iterator[None]:
    """Have gradients and the optimiser's moments, which it makes at its first step, and forget them after.

    That step is one of gradient and rate zero. Of a run that goes on the moments are there already.
    """
    new = not optimiser.state
    try:
        with memory_in_words("the optimiser's state"):
            for weight in (one for group in optimiser.param_groups for one in group["params"]):
                weight.grad = torch.zeros_like(weight, dtype=weight.grad_dtype or weight.dtype)
            if new:
                _step_of_nothing(optimiser)
        yield
    finally:
        optimiser.zero_grad(set_to_none=True)
        if new:
            optimiser.state.clear()


def _step_of_nothing(optimiser: torch.optim.Optimizer) -> None:
    rates = [group["lr"] for group in optimiser.param_groups]
    for group in optimiser.param_groups:
        group["lr"] = 0.0
    optimiser.step()
    for group, rate in zip(optimiser.param_groups, rates, strict=True):
        group["lr"] = rate
