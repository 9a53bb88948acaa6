"""The estimate for clusters is what was measured, carried further."""

import importlib.util
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from tests.support import ROOT

SIZES = (10_000, 52_002, 250_000, 1_000_000)
MEASURED: dict[str, Any] = {
    "machine": {"cores": 2},
    "figures": {
        "encoded_per_s": 400.0,
        "filter_growth": 1.0,
        **{f"pass_{size}_seconds": 4e-5 * size for size in SIZES},
        **{f"filter_{size}_seconds": 5e-5 * size for size in SIZES},
        **{f"filter_ray_{size}_seconds": 6e-5 * size for size in SIZES},
        **{f"dedupe_{size}_seconds": 2 + 3e-4 * size + 1.2e-9 * size**2 for size in SIZES},
    },
}


@pytest.fixture(name="model", scope="module")
def opened() -> Iterator[ModuleType]:
    """Return the script, which is no package."""
    spec = importlib.util.spec_from_file_location("cost_model", ROOT / "benchmarks" / "cost_model.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["cost_model"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["cost_model"]


def test_all_terms_are_found_again(model: ModuleType) -> None:
    """Seconds that are a + b·n + c·n² give a, b and c, and no error."""
    fit = model.fitted(*model.measured(MEASURED["figures"], "dedupe"), square=True)

    assert (fit.start, fit.linear, fit.square) == pytest.approx((2, 3e-4, 1.2e-9), rel=1e-6)
    assert fit.apart == pytest.approx(0, abs=1e-9)
    assert fit.seconds(1_000_000) == pytest.approx(1502)


def test_what_grows_faster_than_the_fit_is_said(model: ModuleType) -> None:
    """A straight line through a square is off, and the table says by how much."""
    assert model.fitted([1, 2, 4], [1.0, 4.0, 16.0], square=False).apart > 0.4


def test_the_machine_that_was_measured_is_predicted_as_it_was(model: ModuleType) -> None:
    """On a cluster of the same two cores the parts come to the seconds of the measurements."""
    same = model.Cluster(name="", nodes=1, cores=2, memory_gb=1, gbit=1)

    spent = model.fits(MEASURED).hours(1_000_000, same)

    assert spent["filters"] * 3600 == pytest.approx(50)
    assert (spent["pairs"] + spent["decisions, one process"]) * 3600 == pytest.approx(1500)
    assert spent["moving"] == 0


@pytest.mark.parametrize(("number", "words"), [(0.001, "4 s"), (0.5, "30 min"), (3.26, "3.3 h"), (240.0, "10 days")])
def test_hours_are_written_in_the_unit_that_reads_best(model: ModuleType, number: float, words: str) -> None:
    """Seconds, minutes, hours or days."""
    assert model.hours(number) == words


def test_what_no_node_can_hold_is_said(model: ModuleType) -> None:
    """A billion vectors are more than a node of the list has."""
    found = model.fits(MEASURED)

    assert all("more than a node has" in model.cluster_table(found, one) for one in model.CLUSTERS)
