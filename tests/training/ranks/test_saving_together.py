"""Ranks write their parts of a state while they train; it is a state when all have."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import torch

from schemas.manifest import FileDigest
from tests.training.checkpoint.test_resume import examples, fresh, keeper, newest
from tests.training.checkpoint.test_saving import WRITE, Logged, full
from tests.training.forked import as_ranks
from tests.training.ranks.test_distributed import TRAIN, Learned, learned
from training.checkpoint.resume import Keeper
from training.checkpoint.tensor_file import write_tensors
from training.config import Parallel
from training.log import LOG
from training.ranks.distributed import Ranks
from training.ranks.sharding import gathered, shard
from training.step.loop import train

KINDS: tuple[Parallel, ...] = ("replicas", "sharded")


def run(ranks: Ranks, mine: Keeper | None = None, aside: Any = None) -> Learned:
    """Train with dropout, divided if the ranks say so; return the whole model's weights and the log."""
    model, aside = fresh(), aside or Logged()
    if ranks.sharded:
        shard(model, torch.float32, torch.device("cpu"), ranks)
    train(model, examples(), TRAIN, pad_id=2, aside=aside, keeper=mine, ranks=ranks)
    return gathered(model, fresh).state_dict(), aside.rows[LOG]


@pytest.fixture(params=KINDS)
def undisturbed(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Parallel, Any]:
    """How a model is trained together, and what it then learns where nobody saves anything."""
    (tmp_path / "alone").mkdir()
    return request.param, learned(tmp_path / "alone", lambda ranks: run(ranks.sharing(request.param)))[0][0]


def saving_once(patched: pytest.MonkeyPatch, write: Callable[..., Any]) -> None:
    """Have a run save a state after its first step, and none later by itself, with this writer."""
    patched.setattr(Keeper, "_is_time", lambda self: not self._saves)
    patched.setattr(WRITE, write)


def test_a_state_is_one_when_the_last_rank_has_written_its_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: tuple[Parallel, Any]
) -> None:
    """One rank writes until its third step; nobody waits, nobody believes it before, and all go on from it after."""
    parallel, expected = undisturbed
    folder, gate = tmp_path / "state", Event()

    def slow(path: Path, tensors: Any) -> FileDigest:
        if "00001" in path.name:
            gate.wait()
        return write_tensors(path, tensors)

    def trained(ranks: Ranks) -> Learned:
        seen: list[Any] = []

        def at_step(step: int) -> None:
            seen.append({"step": step, "newest": newest(folder)})
            if step == 3 and not ranks.first:
                gate.set()

        ranks = ranks.sharing(parallel)
        weights, _ = run(ranks, keeper(folder, ranks=ranks), Logged(at_step))
        return weights, seen

    def resumed(ranks: Ranks) -> Learned:
        ranks = ranks.sharing(parallel)
        return run(ranks, keeper(folder, every_s=0, ranks=ranks))

    with monkeypatch.context() as patched:
        saving_once(patched, slow)
        both = learned(tmp_path, trained)
    left = newest(folder)
    (tmp_path / "meeting").unlink(missing_ok=True)
    again = learned(tmp_path, resumed)

    assert [[one["newest"] for one in rows[:3]] for _, rows in both] == [[0, 0, 0]] * 2
    assert left == 1
    assert [one["step"] for one in again[0][1]] == [1, 2, 3, 4]
    for weights in (both[0][0], again[0][0]):
        assert all(torch.equal(weights[name], expected[name]) for name in expected)


def test_a_rank_killed_before_its_part_is_written_leaves_the_state_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: tuple[Parallel, Any]
) -> None:
    """What the others have written of the newer one is not believed."""
    parallel, expected = undisturbed
    folder = tmp_path / "state"

    def dies(path: Path, tensors: Any) -> FileDigest:
        if "00001" in path.name and newest(folder) == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return write_tensors(path, tensors)

    def trained(ranks: Ranks) -> None:
        ranks = ranks.sharing(parallel)
        run(ranks, keeper(folder, ranks=ranks))

    def resumed(ranks: Ranks) -> Learned:
        ranks = ranks.sharing(parallel)
        return run(ranks, keeper(folder, ranks=ranks))

    with monkeypatch.context() as patched:
        patched.setattr(WRITE, dies)
        first, second = as_ranks(2, tmp_path / "first", trained)
    left = newest(folder)
    again = learned(tmp_path, resumed)

    assert "Error: " in first  # which one depends on what it was telling the other at that moment
    assert second == "ended"
    assert left == 1
    assert all(torch.equal(again[0][0][name], expected[name]) for name in expected)


@pytest.mark.parametrize("parallel", KINDS)
def test_a_rank_whose_disk_is_full_says_so_and_the_other_that_it_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parallel: Parallel
) -> None:
    """Nobody waits for a part that will never be written."""
    folder = tmp_path / "state"

    def writes(path: Path, tensors: Any) -> FileDigest:
        if "00001" in path.name:
            full()
        return write_tensors(path, tensors)

    def trained(ranks: Ranks) -> None:
        ranks = ranks.sharing(parallel)
        run(ranks, keeper(folder, ranks=ranks))

    saving_once(monkeypatch, writes)
    first, second = as_ranks(2, tmp_path / "meeting", trained)

    assert first == "LostRankError: another rank has ended"
    assert "the state was not saved: No space left on device" in second
    assert newest(folder) == 0
