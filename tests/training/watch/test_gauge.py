"""How hard a device works: the operations that real tokens need, over its peak."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from tests.training.test_guard import rows_of
from training.log import Peak
from training.planning.footprint import Sizes, operations
from training.records.batching import Shape
from training.records.encoding import IGNORED, Example
from training.watch import gauge as module
from training.watch.gauge import Gauge, peak_of

SIZES = Sizes(parameters=130, body=100, layers=2, hidden=10, vocabulary=3)
CPU = torch.device("cpu")


def example(prompt: int, response: int) -> Example:
    """Return an example of so many tokens."""
    labels = (IGNORED,) * prompt + (1,) * response
    return Example("id", (1,) * (prompt + response), labels)


def test_a_hand_calculation() -> None:
    """Six operations a weight and token, attention's products, the head on the response's tokens; over the peak."""
    row = replace(rows_of([2.0])[0], seconds=2.0)
    gauge = Gauge(sizes=SIZES, peak=Peak(per_second=100_000.0, measured=True))
    body, products, head = 5 * 6 * 100, 5 * 12 * 2 * 10 * 5, 2 * 6 * 10 * 3

    assert gauge.gauged(row, [example(3, 2)]).mfu == round((body + products + head) / 2 / 100_000, 4)


def test_padding_does_not_count() -> None:
    """Two records of different lengths are what they are apart, less than the rectangle that is computed."""
    row, gauge = rows_of([2.0])[0], Gauge(sizes=SIZES, peak=Peak(per_second=1e6, measured=True))
    short, long = example(1, 1), example(9, 5)

    together = gauge.gauged(row, [short, long]).mfu

    assert together == pytest.approx(gauge.gauged(row, [short]).mfu + gauge.gauged(row, [long]).mfu, abs=2e-4)
    assert together < operations(SIZES, Shape(2, 14, 6)) / 1e6


def test_a_processor_s_peak_is_measured() -> None:
    """Once, and without moving a random generator."""
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    peak = peak_of(CPU, torch.float32)

    assert peak.measured
    assert 1e9 < peak.per_second < 1e14
    assert peak_of(CPU, torch.float32) is peak
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize(
    ("name", "per_second"),
    [
        ("NVIDIA A100-SXM4-40GB", 312e12),
        ("NVIDIA H100 80GB HBM3", 989e12),
        ("NVIDIA H100 PCIe", 756e12),
        ("NVIDIA H100 NVL", 835e12),
        ("NVIDIA H200 NVL", 835e12),
        ("NVIDIA L4", 121e12),
    ],
)
def test_an_accelerator_s_peak_is_its_makers(monkeypatch: pytest.MonkeyPatch, name: str, per_second: float) -> None:
    """By words in its name, in bf16."""
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: name)

    peak = peak_of.__wrapped__(torch.device("cuda"), torch.bfloat16)

    assert (peak.per_second, peak.measured) == (per_second, False)


def test_an_accelerator_without_a_data_sheet_is_measured_by_its_own_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over many products, of which the last alone is waited for."""
    told: list[str] = []

    class Event:
        def __init__(self, *, enable_timing: bool) -> None:
            assert enable_timing

        def record(self) -> None:
            told.append("record")

        def synchronize(self) -> None:
            told.append("synchronize")

        def elapsed_time(self, _: Any) -> float:
            return 500.0  # milliseconds

    monkeypatch.setattr(module, "ACCELERATOR_SIDE", 16)
    monkeypatch.setattr(torch.cuda, "Event", Event)

    assert module._measured_on_accelerator(CPU, torch.float32) == 20 * 2 * 16**3 / 0.5
    assert told == ["record", "record", "synchronize"]
