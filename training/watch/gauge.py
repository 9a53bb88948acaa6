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

DATA_SHEETS = {"A100": 312e12, "H100": 989e12, "H200": 989e12, "L40S": 362e12, "A10G": 70e12, "L4": 121e12}
"""Operations a second on dense matrices in bf16, by a word in the device's name; NVIDIA's data sheets, no sparsity."""
SIDE = 1024
"""Rows and columns of the matrices that are multiplied to measure a peak."""
TIMES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """Measures a run's steps."""

    sizes: Sizes
    peak: Peak

    def gauged(self, row: StepRow, examples: Sequence[Example]) -> StepRow:
        """Return the row with its share of the peak."""
        needed = sum(operations(self.sizes, Shape(1, len(one.input_ids), one.supervised)) for one in examples)
        return replace(row, mfu=round(needed / row.seconds / self.peak.per_second, 4))


@cache
def peak_of(device: torch.device, dtype: torch.dtype) -> Peak:
    """Return a device's peak: its maker's where it is known and the model computes in bf16, else measured here."""
    if device.type == "cuda" and dtype == torch.bfloat16:
        words = torch.cuda.get_device_name(device).replace("-", " ").split()
        for word, per_second in DATA_SHEETS.items():
            if word in words:
                return Peak(per_second=per_second, measured=False)
    return Peak(per_second=_measured(device, dtype), measured=True)


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
