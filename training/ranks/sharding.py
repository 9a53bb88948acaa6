"""One model divided over several devices: each has a part of every weight, gradient and moment (torch's FSDP2).

The parts are fp32. A layer's weights are gathered in the precision that the model computes in just before it is needed
and forgotten after; its gradients are summed over the devices in fp32 and divided again, micro-batch by micro-batch. So
every rank computes as many micro-batches as every other; who has fewer computes a spare one for nothing.

While the model is looked at, every device has it whole, in the precision that it computes in.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MethodType
from typing import Any, TypeVar

import torch
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard, register_fsdp_forward_method
from transformers.modeling_layers import GradientCheckpointingLayer

from training.log import StepRow, Watcher
from training.ranks.distributed import Ranks

Result = TypeVar("Result")
ROUTE = "within_root"
"""Name of the method of a divided model that calls a function while its outermost weights are gathered."""


def shard(model: Any, dtype: torch.dtype, device: torch.device, ranks: Ranks) -> None:
    """Divide `model` in place among the ranks; it computes in `dtype` on `device`."""
    mesh = init_device_mesh(device.type, (ranks.size,))
    policy = MixedPrecisionPolicy(param_dtype=dtype, reduce_dtype=torch.float32)
    layers = [one for one in model.modules() if isinstance(one, GradientCheckpointingLayer)]
    for one in (*layers, model):
        fully_shard(one.float(), mesh=mesh, mp_policy=policy)
    for one in _units(model):
        one.set_gradient_divide_factor(1.0)  # a sum: the loss is divided by the tokens of all ranks
        one.set_force_sum_reduction_for_comms(enable=True)  # gloo has no other
    setattr(model, ROUTE, MethodType(_call, model))
    register_fsdp_forward_method(model, ROUTE)
    computed(model, lambda: None)  # makes `model` the root, before any of its layers is called alone
    model.reshard()


def is_sharded(model: Any) -> bool:
    """Say whether a model is divided."""
    return isinstance(model, FSDPModule)


def computed(model: Any, work: Callable[[], Result]) -> Result:
    """Return what `work` computes with `model`, whichever parts of it that calls."""
    result: Result = getattr(model, ROUTE)(work) if is_sharded(model) else work()
    return result


@contextmanager
def whole(model: Any, ranks: Ranks) -> Iterator[None]:
    """Give every rank the whole model for as long as the context lasts; one of them may then compute alone.

    All ranks have to come here; they leave it together. Nothing happens to a model that is not divided.
    """
    if not is_sharded(model):
        yield
        return
    for one in _units(model):
        _keep(one, model, kept=True)
        one.unshard()
    yield
    ranks.wait()
    for one in _units(model):
        _keep(one, model, kept=False)
        one.reshard()


@torch.no_grad()
def gathered(model: Any, dense: Callable[[], Any] | None) -> Any:
    """Return a model that is not divided, with the weights of `model`; all ranks have to come here.

    `dense` gives a model of the same kind to put them into; a rank without it takes part and gets None.
    """
    if not is_sharded(model):
        return model
    other = dense() if dense else None
    places = dict(other.named_parameters()) if other is not None else {}
    for name, weight in model.named_parameters():
        full = weight.full_tensor()
        if name in places:
            places[name].copy_(full)
    return other


@dataclass(frozen=True, slots=True)
class SharedWatcher:
    """Looks at a divided model: one rank decides when and looks, the others lend their parts."""

    watcher: Watcher
    model: Any
    ranks: Ranks

    def take_up(self, rows: Sequence[StepRow]) -> None:
        """Begin, or go on after these steps."""
        self.watcher.take_up(rows)

    def gauged(self, row: StepRow, examples: Sequence[Any]) -> StepRow:
        """Return a step's row with what share of the device's peak its examples used."""
        return self.watcher.gauged(row, examples)

    def wants(self, rows: Sequence[StepRow], total: int) -> bool:
        """Say whether any rank wants to look."""
        return any(self.ranks.any(self.watcher.wants(rows, total)))

    def after_step(self, rows: Sequence[StepRow], total: int) -> None:
        """Look at the model, if it is time to."""
        if self.wants(rows, total):
            with whole(self.model, self.ranks):
                self.watcher.after_step(rows, total)
        else:
            self.watcher.after_step(rows, total)


def shared(watcher: Watcher, model: Any, ranks: Ranks) -> Watcher:
    """Return a watcher that can look at `model`, divided or not."""
    return SharedWatcher(watcher, model, ranks) if is_sharded(model) else watcher


def _call(_: Any, work: Callable[[], Result]) -> Result:
    return work()


def _units(model: Any) -> list[Any]:
    return [one for one in model.modules() if isinstance(one, FSDPModule)]


def _keep(unit: Any, model: Any, *, kept: bool) -> None:
    """Have a layer keep its weights after it was called; what is outside the layers keeps them anyhow."""
    if unit is not model:
        unit.set_reshard_after_forward(not kept, recurse=False)
