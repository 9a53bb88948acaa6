"""How hard a device works: the operations that real tokens need, over the most that it can do (MFU).

PaLM's measure (Chowdhery et al. 2022, arXiv:2204.02311, appendix B): padding and whatever is computed twice do not
count, so a run cannot look better by doing needless work; nor do gradients that frozen weights do not have.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import torch

from training.log import Peak, StepRow
from training.planning.footprint import Sizes, operations
from training.records.batching import Shape
from training.records.encoding import Example

DATA_SHEETS = {
    "H100 PCIe": 756e12, "H100 NVL": 835e12, "H200 NVL": 835e12,
    "A100": 312e12, "H100": 989e12, "H200": 989e12, "L40S": 362e12, "A10G": 70e12, "L4": 121e12,
}  # fmt: skip
"""Operations a second on dense matrices in bf16, by words in the device's name; the first that are there count.
NVIDIA's data sheets, no sparsity."""
SIDE, TIMES = 1024, 5
"""Rows and columns of the matrices that are multiplied to measure a peak, and how often."""
ACCELERATOR_SIDE, ACCELERATOR_TIMES = 8192, 20
"""The same on an accelerator, which is busy with less for no longer than it takes to ask it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """Measures a run's steps."""

    sizes: Sizes
    peak: Peak
    devices: int = 1
    """That train together."""

    def gauged(self, row: StepRow, examples: Sequence[Example]) -> StepRow:
        """Return the row with its share of the peak."""
        needed = sum(operations(self.sizes, Shape(1, len(one.input_ids), one.supervised)) for one in examples)
        computed = min(1.0, row.padded_tokens / row.tokens)  # what records share is needed once
        return replace(row, mfu=round(needed * computed / row.seconds / self.peak.per_second / self.devices, 4))


@cache
def peak_of(device: torch.device, dtype: torch.dtype) -> Peak:
    """Return a device's peak: its maker's where it is known and the model computes in bf16, else measured here."""
    if device.type == "cuda" and dtype == torch.bfloat16:
        name = f" {torch.cuda.get_device_name(device).replace('-', ' ')} "
        for words, per_second in DATA_SHEETS.items():
            if f" {words} " in name:
                return Peak(per_second=per_second, measured=False)
    measure = _measured_on_accelerator if device.type == "cuda" else _measured
    return Peak(per_second=measure(device, dtype), measured=True)


@torch.no_grad()
def _measured(device: torch.device, dtype: torch.dtype) -> float:
    """Multiply two matrices a few times; none of it draws a random number."""
    one = torch.full((SIDE, SIDE), 0.5, dtype=dtype, device=device)
    seconds = []
    for _ in range(TIMES):
        started = time.perf_counter()
        float((one @ one)[0, 0])  # waits for the device
        seconds.append(time.perf_counter() - started)
    return 2 * SIDE**3 / min(seconds)


@torch.no_grad()
def _measured_on_accelerator(device: torch.device, dtype: torch.dtype) -> float:
    """Multiply large matrices many times by the device's own clock, which is waited for once."""
    one = torch.full((ACCELERATOR_SIDE, ACCELERATOR_SIDE), 0.5, dtype=dtype, device=device)
    out = one @ one  # the first time kernels are chosen and loaded
    started, ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]  # torch's
    started.record()
    for _ in range(ACCELERATOR_TIMES):
        torch.mm(one, one, out=out)
    ended.record()
    ended.synchronize()
    seconds = float(started.elapsed_time(ended)) / 1000
    return ACCELERATOR_TIMES * 2 * ACCELERATOR_SIDE**3 / seconds
