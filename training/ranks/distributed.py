"""Several processes that train one model together, a device each: who is who, and what they have to agree on.

    replicas   every rank has the whole model; gradients are summed once a step, loss and weights are every rank's
    sharded    every rank has a part of each layer (FSDP2); see training.ranks.sharding

The records of an optimiser step are dealt to the ranks so that each has as many tokens; the loss is divided by the
response tokens of all of them. So the sum is the one that a single process has, in another order.
"""

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from schemas.errors import DollyError
from training.config import Parallel
from training.records.encoding import Example

PATIENCE = timedelta(days=7)
"""How long a rank waits for the others: while the first looks at the model, or writes it. A dead one is noticed at
once, by its connection."""
BUCKET = 1 << 24
"""Numbers whose gradients are summed in one message."""


LOST = "another rank has ended"


class LostRankError(DollyError):
    """Another rank has ended; why, it has said itself."""

    exit_code = 75


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranks:
    """This process among those that train together."""

    number: int = 0
    size: int = 1
    sharded: bool = False
    """Whether each has a part of every weight, instead of all of it."""

    @property
    def first(self) -> bool:
        """Whether this is the rank that speaks and writes."""
        return self.number == 0

    @property
    def here(self) -> int:
        """How many of them are on this machine."""
        return int(os.environ.get("LOCAL_WORLD_SIZE", self.size))

    def sharing(self, parallel: Parallel) -> "Ranks":
        """Return these ranks, with the model as the settings say."""
        return replace(self, sharded=parallel == "sharded")

    def deal(self, examples: Sequence[Example]) -> list[Example]:
        """Return this rank's part of a step, as long as every other's to within a record."""
        return dealt(examples, self.size)[self.number]

    def totals(self, *values: float) -> list[float]:
        """Return the sum of every rank's values, added in an order that is always the same."""
        return [sum(of_all) for of_all in zip(*self.gather(*values), strict=True)]

    def missing(self, batches: int) -> int:
        """Return how many micro-batches fewer than another rank this one has; none where that is all the same."""
        return int(max(count for (count,) in self.gather(batches))) - batches if self.sharded else 0

    def norm(self, own: Tensor) -> Tensor:
        """Return the norm of a gradient of which this rank's part has the norm `own`."""
        if not self.sharded:
            return own
        (squares,) = self.totals(float(own) ** 2)
        return own.new_tensor(math.sqrt(squares))

    def any(self, *flags: bool) -> tuple[bool, ...]:
        """Return which flags are set on at least one rank."""
        if self.size == 1:
            return flags
        raised = torch.tensor(flags, dtype=torch.int32, device=_place())
        with losses_told():
            dist.all_reduce(raised, dist.ReduceOp.MAX)
        return tuple(map(bool, raised.tolist()))

    def gather(self, *values: float) -> list[list[float]]:
        """Return every rank's values, by rank."""
        if self.size == 1:
            return [list(values)]
        mine = torch.tensor(values, dtype=torch.float64, device=_place())
        of_all = [torch.empty_like(mine) for _ in range(self.size)]
        with losses_told():
            dist.all_gather(of_all, mine)
        return [one.tolist() for one in of_all]

    def tell(self, message: Any = None) -> Any:
        """Return the message of the first rank, which the others wait for; it is a small value."""
        if self.size == 1:
            return message
        told = [message]
        with losses_told():
            dist.broadcast_object_list(told, src=0, device=_place())
        return told[0]

    def wait(self) -> None:
        """Wait until every rank has come here."""
        self.any(False)  # nothing is asked

    def add_up(self, weights: Mapping[str, nn.Parameter]) -> None:
        """Give every rank the sum of all ranks' gradients, in the precision that they are in.

        Those of a model that is divided were added in the backward pass.
        """
        if self.size == 1 or self.sharded:
            return
        for weight in weights.values():
            if weight.grad is None:  # no record of this rank's needed it
                weight.grad = torch.zeros_like(weight, dtype=weight.grad_dtype or weight.dtype)
        with losses_told():
            for bucket in _buckets([one.grad for one in weights.values() if one.grad is not None]):
                _sum_over_ranks(bucket)


ALONE = Ranks()


def dealt(examples: Sequence[Example], ranks: int) -> list[list[Example]]:
    """Deal a step's examples, the longest first, each to the rank that has the fewest tokens so far."""
    hands: list[list[Example]] = [[] for _ in range(ranks)]
    held = [0] * ranks
    for one in sorted(examples, key=lambda one: len(one.input_ids), reverse=True):
        rank = held.index(min(held))
        hands[rank].append(one)
        held[rank] += len(one.input_ids)
    return hands


def local(tensor: Any) -> Tensor:
    """Return what this process has of a tensor: all, or its part of a divided one."""
    part: Tensor = tensor.to_local() if hasattr(tensor, "to_local") else tensor
    return part


def is_rank() -> bool:
    """Say whether torchrun started this process."""
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


@contextmanager
def joined() -> Iterator[Ranks]:
    """Take this process's place among the ranks that torchrun has started; alone where it has not."""
    if not is_rank() or os.environ["WORLD_SIZE"] == "1":
        yield ALONE
        return
    with losses_told():
        dist.init_process_group(_backend(), timeout=PATIENCE)
    yield Ranks(number=dist.get_rank(), size=dist.get_world_size())
    dist.destroy_process_group()  # not after an error: it would wait for the others


@contextmanager
def losses_told() -> Iterator[None]:
    """Say that another rank is gone where torch says that a connection is.

    Raises:
        LostRankError: it is.
    """
    try:
        yield
    except dist.DistError as error:
        raise LostRankError(LOST) from error
    except RuntimeError as error:
        if "Connection" not in str(error) and "gloo" not in str(error):
            raise
        raise LostRankError(LOST) from error


def _backend() -> str:
    """Choose how the ranks talk, and this rank's device."""
    if not torch.cuda.is_available():
        return "gloo"
    torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    return "nccl"


def _place() -> torch.device:
    """Return where what is said has to stand."""
    return torch.device("cuda" if dist.get_backend() == "nccl" else "cpu")


def _buckets(gradients: Sequence[Tensor]) -> Iterator[list[Tensor]]:
    """Put gradients of one precision together, so that small ones share a message."""
    bucket: list[Tensor] = []
    for one in gradients:
        if bucket and (sum(map(Tensor.numel, bucket)) + one.numel() > BUCKET or bucket[0].dtype != one.dtype):
            yield bucket
            bucket = []
        bucket.append(one)
    if bucket:
        yield bucket


def _sum_over_ranks(bucket: Sequence[Tensor]) -> None:
    together = torch.cat([one.flatten() for one in bucket])
    dist.all_reduce(together)
    for one, summed in zip(bucket, torch.split(together, [one.numel() for one in bucket]), strict=True):
        one.copy_(summed.view_as(one))
