"""Two ranks learn what one process learns, and go on where they stopped."""

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from schemas.errors import DollyError, InputError, StoppedError
from tests.training.checkpoint.test_resume import CONFIG, StopAfter, examples, fresh, keeper
from tests.training.forked import as_ranks
from training.config import OptimiserName
from training.ranks.distributed import ALONE, Ranks, dealt
from training.ranks.launch import Machines
from training.step.loop import train

Learned = tuple[dict[str, Tensor], list[dict[str, Any]]]
TRAIN = replace(CONFIG, rows_per_step=3, steps=4)
"""Steps of three records, and of two at an epoch's end: a rank has two or one."""


class Rows:
    """An aside that keeps the log."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def leave(self, name: str, row: Any) -> None:
        """Keep a row."""
        self.rows.append(dict(row))

    def progress(self, what: str, done: int, total: int | None = None, note: str = "") -> None:
        """Say nothing."""


def learn(ranks: Ranks, *, kind: str = "llama", optimiser: OptimiserName = "adamw", packed: bool = False) -> Learned:
    """Train a tiny model; return its weights and its log."""
    model, aside = fresh(kind), Rows()
    config = replace(TRAIN, optimiser=optimiser)
    train(model, examples(), config, pad_id=2, aside=aside, packed=packed, ranks=ranks)
    return model.state_dict(), aside.rows


def in_files(folder: Path, work: Callable[[Ranks], Learned]) -> Callable[[Ranks], None]:
    """Have each rank leave what it learned in a file: tensors do not go through a pipe."""

    def write(ranks: Ranks) -> None:
        torch.save(work(ranks), folder / f"rank-{ranks.number}.pt")

    return write


def learned(folder: Path, work: Callable[[Ranks], Learned], size: int = 2) -> list[Learned]:
    """Return what each of several ranks learned."""
    said = as_ranks(size, folder / "meeting", in_files(folder, work))
    assert said == [None] * size
    return [torch.load(folder / f"rank-{number}.pt") for number in range(size)]


@pytest.mark.parametrize(
    ("optimiser", "packed"), [("adamw", False), ("adamw", True), ("adamw-8bit", False), ("adamw-bf16", False)]
)
def test_two_ranks_learn_what_one_process_learns(tmp_path: Path, optimiser: OptimiserName, *, packed: bool) -> None:
    """Loss of every step to 1e-6, the weights to 1e-6, and those of both ranks to the last bit.

    A sum in another order can turn a stochastic rounding: with `adamw-bf16` a few weights then differ.
    """
    first, second = learned(tmp_path, lambda ranks: learn(ranks, optimiser=optimiser, packed=packed))
    weights, rows = learn(ALONE, optimiser=optimiser, packed=packed)

    for ours, one in zip(first[1], rows, strict=True):
        assert ours["loss"] == pytest.approx(one["loss"], rel=1e-6)
        assert ours["grad_norm"] == pytest.approx(one["grad_norm"], rel=1e-5)
        assert [ours[name] for name in ("rows", "tokens", "response_tokens")] == [
            one[name] for name in ("rows", "tokens", "response_tokens")
        ]
    for name, weight in weights.items():
        close = 1e-5 if optimiser == "adamw-bf16" else 1e-6
        torch.testing.assert_close(first[0][name], weight, rtol=0, atol=close)
        assert torch.equal(first[0][name], second[0][name])


def test_a_rank_without_records_takes_part(tmp_path: Path) -> None:
    """Three ranks and steps of two or three records: the third often has nothing to compute, and loses nothing."""
    ranks = learned(tmp_path, learn, 3)
    weights, _ = learn(ALONE)

    for name, weight in weights.items():
        torch.testing.assert_close(ranks[2][0][name], weight, rtol=0, atol=1e-6)


def test_records_are_dealt_evenly() -> None:
    """Every record goes to one rank, and no rank has more tokens than another by more than a record."""
    some = examples()
    hands = dealt(some, 3)
    held = [sum(len(one.input_ids) for one in hand) for hand in hands]

    assert sorted(one.id for hand in hands for one in hand) == sorted(one.id for one in some)
    assert max(held) - min(held) <= max(len(one.input_ids) for one in some)


def test_a_signal_to_one_rank_stops_all_after_the_same_step_and_they_go_on_to_the_same_bytes(tmp_path: Path) -> None:
    """With dropout: every rank's random generator goes on, too."""
    folder = tmp_path / "state"

    def stopped(ranks: Ranks) -> str:
        mine = keeper(folder, every_s=0, ranks=ranks)
        aside = StopAfter(mine, 2 if ranks.number else 0)
        with pytest.raises(StoppedError) as told:
            train(fresh(), examples(), TRAIN, pad_id=2, aside=aside, keeper=mine, ranks=ranks)
        return str(told.value)

    def finished(ranks: Ranks) -> Learned:
        model = fresh()
        train(model, examples(), TRAIN, pad_id=2, keeper=keeper(folder, ranks=ranks), ranks=ranks)
        return model.state_dict(), []

    def undisturbed(ranks: Ranks) -> Learned:
        return learn(ranks, kind="gpt2")

    said = as_ranks(2, tmp_path / "first", stopped)
    resumed = learned(tmp_path, finished)[0][0]
    (tmp_path / "meeting").unlink(missing_ok=True)
    whole = learned(tmp_path, undisturbed)[0][0]

    assert said == ["interrupted after step 2; the same command goes on from there"] * 2
    assert all(torch.equal(resumed[name], whole[name]) for name in whole)


def test_a_killed_rank_ends_the_others(tmp_path: Path) -> None:
    """They say that one is gone instead of waiting for it."""

    def one_dies(ranks: Ranks) -> None:
        ranks.wait()
        if ranks.number:
            os.kill(os.getpid(), signal.SIGKILL)
        learn(ranks)

    assert as_ranks(2, tmp_path / "meeting", one_dies) == ["LostRankError: another rank has ended", "ended"]


def test_a_state_of_another_number_of_ranks_is_refused(tmp_path: Path) -> None:
    """In words that say what to do."""
    two = Ranks(number=0, size=2)

    with pytest.raises(InputError, match=r"expected --devices 1 in all.*found 2"):
        keeper(tmp_path, ranks=two)._taken_up({"run": "this", "ranks": 1})


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"nnodes": 2}, "rdzv: expected HOST:PORT of the machine with --node-rank 0, found nothing"),
        ({"nnodes": 2, "rdzv": "host"}, "found host"),
        ({"nnodes": 2, "node_rank": 2, "rdzv": "host:29500"}, "node_rank: expected 0 to 1, found 2"),
    ],
)
def test_machines_that_cannot_be_meant_are_refused(wrong: dict[str, Any], said: str) -> None:
    """Before anything is started."""
    with pytest.raises(DollyError, match=said):
        Machines(**wrong)
