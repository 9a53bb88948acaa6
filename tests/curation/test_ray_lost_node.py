"""What a lost node's workers had is done by those that are left, also where no other node has a place for them."""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from curation.engine import Engine
from tests.curation.work import take_time


@pytest.fixture
def cluster() -> Iterator[Any]:
    """Return two nodes on this machine, of one processor each."""
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install '.[ray]'")
    from ray.cluster_utils import Cluster  # noqa: PLC0415  # only where Ray is installed

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    node = {"num_cpus": 1, "object_store_memory": 100 * 1024 * 1024}
    nodes = Cluster(initialize_head=True, head_node_args=node)
    nodes.add_node(**node)
    ray.init(address=nodes.address, log_to_driver=False, logging_level="ERROR")
    yield nodes
    ray.shutdown()
    nodes.shutdown()


def test_a_lost_node_loses_nothing(cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every part comes, in its place."""
    monkeypatch.setattr("curation.ray_engine.GRACE", 120.0)
    nodes = cluster.list_all_nodes()

    def chunks() -> Iterator[list[int]]:
        for n in range(40):
            if n >= 20 and len(nodes) == 2 and len(list(tmp_path.iterdir())) == 2:
                cluster.remove_node(nodes.pop(), allow_graceful=False)
            yield [n]

    parts = list(Engine(kind="ray", workers=2).map(partial(take_time, str(tmp_path)), chunks()))

    assert parts == [[2 * n] for n in range(40)]
    assert len(nodes) == 1
