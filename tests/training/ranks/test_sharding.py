"""A model that is divided over ranks learns what one process learns with the whole."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import AutoConfig

from schemas.errors import InputError, StoppedError
from tests.training.checkpoint.test_resume import StopAfter, examples, fresh, keeper
from tests.training.forked import as_ranks
from tests.training.ranks.test_distributed import TRAIN, Rows, in_files
from training.config import OptimiserName, Parallel, TrainConfig
from training.model.packing import choose_packing
from training.planning.fitting import choices, settled
from training.planning.footprint import footprint, meta_model
from training.ranks.distributed import ALONE, Ranks
from training.ranks.sharding import gathered, shard, whole
from training.records.batching import Shape
from training.records.losses import record_losses
from training.step.loop import train

Learned = tuple[dict[str, Tensor], list[dict[str, Any]]]
CPU = torch.device("cpu")


def divided(ranks: Ranks, kind: str = "llama", dtype: torch.dtype = torch.float32) -> Any:
    """Return this rank's part of a tiny model."""
    model = fresh(kind, dtype)
    shard(model, dtype, CPU, ranks)
    return model


def learn(ranks: Ranks, *, config: TrainConfig = TRAIN, kind: str = "llama", packed: bool = False) -> Learned:
    """Train a tiny model, divided where there are several ranks, and return its weights and log."""
    aside = Rows()
    model = divided(ranks, kind) if ranks.size > 1 else fresh(kind)
    train(model, examples(), config, pad_id=2, aside=aside, packed=packed, ranks=ranks)
    return gathered(model, lambda: fresh(kind)).state_dict(), aside.rows


def learned(folder: Path, work: Callable[[Ranks], Learned], size: int = 2) -> list[Learned]:
    """Return what each of several ranks with a part of the model learned."""
    (folder / "meeting").unlink(missing_ok=True)
    write = in_files(folder, work)
    said = as_ranks(size, folder / "meeting", lambda ranks: write(ranks.sharing("sharded")))
    assert said == [None] * size
    return [torch.load(folder / f"rank-{number}.pt") for number in range(size)]


@pytest.mark.parametrize(
    ("kind", "changes", "packed"),
    [
        ("llama", {}, True),
        ("llama", {"recompute": "on", "micro_tokens": 40}, False),
        ("gptj", {}, False),
        ("gemma2", {}, False),
    ],
)
def test_a_divided_model_learns_what_a_whole_one_learns(
    tmp_path: Path, kind: str, changes: dict[str, Any], *, packed: bool
) -> None:
    """Loss, gradient norm and counts of every step, and the weights, to rounding.

    Llama's embedding is its head, GPT-J's is not, and Gemma 2's logits are not its head's alone.
    """
    config = replace(TRAIN, **changes)
    first, second = learned(tmp_path, lambda ranks: learn(ranks, config=config, kind=kind, packed=packed))
    weights, rows = learn(ALONE, config=config, kind=kind, packed=packed)

    for ours, one in zip(first[1], rows, strict=True):
        assert ours["loss"] == pytest.approx(one["loss"], rel=1e-6)
        assert ours["grad_norm"] == pytest.approx(one["grad_norm"], rel=1e-5)
        assert [ours[name] for name in ("rows", "tokens", "response_tokens")] == [
            one[name] for name in ("rows", "tokens", "response_tokens")
        ]
    for name, weight in weights.items():
        torch.testing.assert_close(first[0][name], weight, rtol=0, atol=5e-6)
        assert torch.equal(first[0][name], second[0][name])


def test_a_divided_model_that_was_tried_for_packing_learns_the_same(tmp_path: Path) -> None:
    """Every rank tries it on the whole, forward and backward; no part has a gradient of that, or stays whole."""

    def tried(ranks: Ranks) -> Learned:
        model, aside = divided(ranks), Rows()
        with whole(model, ranks):
            assert choose_packing(model, "auto").used
        assert all(one.grad is None for one in model.parameters())
        train(model, examples(), TRAIN, pad_id=2, aside=aside, packed=True, ranks=ranks)
        return gathered(model, lambda: fresh("llama")).state_dict(), aside.rows

    first, _ = learned(tmp_path, tried)
    untried, _ = learned(tmp_path, lambda ranks: learn(ranks, packed=True))

    assert [one["loss"] for one in first[1]] == [one["loss"] for one in untried[1]]
    assert all(torch.equal(first[0][name], untried[0][name]) for name in first[0])


def test_ranks_with_fewer_micro_batches_wait_for_none(tmp_path: Path) -> None:
    """Three ranks, one record a micro-batch, steps of two or three records: the third often has nothing to compute."""
    config = replace(TRAIN, micro_tokens=8)
    ranks = learned(tmp_path, lambda ranks: learn(ranks, config=config), 3)
    weights, _ = learn(ALONE, config=config)

    for name, weight in weights.items():
        torch.testing.assert_close(ranks[0][0][name], weight, rtol=0, atol=1e-6)


@pytest.mark.parametrize("optimiser", ["adamw", "adamw-8bit"])
def test_a_divided_run_that_is_stopped_ends_in_the_same_bytes(tmp_path: Path, optimiser: OptimiserName) -> None:
    """A signal to one rank stops both after the same step; every part goes on, and every generator."""
    folder, config = tmp_path / "state", replace(TRAIN, optimiser=optimiser)

    def stopped(ranks: Ranks) -> str:
        ranks = ranks.sharing("sharded")
        mine = keeper(folder, every_s=0, ranks=ranks)
        aside = StopAfter(mine, 2 if ranks.number else 0)
        with pytest.raises(StoppedError) as told:
            train(divided(ranks, "gpt2"), examples(), config, pad_id=2, aside=aside, keeper=mine, ranks=ranks)
        return str(told.value)

    def finished(ranks: Ranks) -> Learned:
        model = divided(ranks, "gpt2")
        train(model, examples(), config, pad_id=2, keeper=keeper(folder, ranks=ranks), ranks=ranks)
        return gathered(model, fresh).state_dict(), []

    said = as_ranks(2, tmp_path / "first", stopped)
    resumed = learned(tmp_path, finished)[0][0]
    undisturbed = learned(tmp_path, lambda ranks: learn(ranks, config=config, kind="gpt2"))[0][0]

    assert said == ["interrupted after step 2; the same command goes on from there"] * 2
    assert all(torch.equal(resumed[name], undisturbed[name]) for name in undisturbed)


def test_one_rank_looks_at_the_whole_model_alone(tmp_path: Path) -> None:
    """It computes in bf16 what the model in bf16 gives, while the other rank waits; then training can go on."""

    def look(ranks: Ranks) -> float:
        model = divided(ranks.sharing("sharded"), dtype=torch.bfloat16)
        with whole(model, ranks):
            return sum(record_losses(model, examples(), tokens=64)) if ranks.first else 0.0

    seen = as_ranks(2, tmp_path / "meeting", look)

    assert seen == [sum(record_losses(fresh("llama", torch.bfloat16), examples(), tokens=64)), 0.0]


def test_a_state_of_replicas_is_refused(tmp_path: Path) -> None:
    """In words that say what to do."""
    parts = Ranks(number=0, size=2, sharded=True)

    with pytest.raises(InputError, match=r"expected --parallel replicas, as when the state was saved.*found sharded"):
        keeper(tmp_path, ranks=parts)._taken_up({"run": "this", "ranks": 2})


@pytest.mark.parametrize(("memory", "parallel"), [(10**12, "replicas"), (2 * 10**9, "sharded")])
def test_a_model_is_divided_where_it_does_not_fit(memory: int, parallel: Parallel) -> None:
    """A model of 60 million parameters needs a gigabyte of state, and half of that on each of two devices."""
    shape = AutoConfig.for_model("llama", hidden_size=512, num_hidden_layers=8, intermediate_size=2048)
    config = replace(TRAIN, recompute="on", micro_tokens=64)
    settings: dict[str, Any] = {"shape": shape, "vocabulary": 32000, "dtype": torch.bfloat16, "memory": memory}

    assert settled(config, examples(), **settings, devices=2).parallel == parallel
    assert settled(config, examples(), **settings, devices=1).parallel == "replicas"


def test_each_device_needs_its_part() -> None:
    """Four bytes of weight, gradient and each moment a parameter, divided; the weights to compute with are whole."""
    model = meta_model(AutoConfig.for_model("gpt2"), 50304, torch.bfloat16)
    size = sum(one.numel() for one in model.parameters())
    one = footprint(model, Shape(1, 64, 30), replace(TRAIN, parallel="sharded"), 4)

    assert (one.weights, one.copies, one.gradients, one.moments) == (2 * size, size, size, 2 * size)


@pytest.mark.parametrize(
    ("changes", "devices", "found"),
    [({}, 1, "one device"), ({"lora_rank": 4}, 2, "adapters"), ({"optimiser": "adamw-bf16"}, 2, "the parts are fp32")],
)
def test_what_cannot_be_divided_is_refused(changes: dict[str, Any], devices: int, found: str) -> None:
    """With the reason; where it is left open, every device has the whole model."""
    config = replace(TRAIN, **changes)
    settings: dict[str, Any] = {"shape": None, "vocabulary": 0, "dtype": torch.float32, "memory": 0}

    with pytest.raises(InputError, match=f"found sharded with .*{found}"):
        settled(replace(config, parallel="sharded"), [], **settings, devices=devices)
    assert {one.parallel for one in choices(config, devices)} == {"replicas"}
