"""Two ranks train adapters as one process does; a model that is divided has none."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from schemas.errors import InputError
from tests.training.checkpoint.test_resume import examples, fresh
from tests.training.forked import as_ranks
from tests.training.ranks.test_distributed import TRAIN, Learned, Rows, learned
from tests.training.ranks.test_launch import SILENT_RUN, two_ranks
from tests.training.test_fit import request
from training.checkpoint.checkpoint import read_run
from training.fit import fit, follow
from training.model.adapter import adapt
from training.ranks.distributed import ALONE, Ranks
from training.step.loop import train
from training.step.optimiser import trained_weights

CONFIG = replace(TRAIN, lora_rank=4, lr=1e-2)
KEYS = (421, 422, 423)


def learn(ranks: Ranks, kind: str) -> Learned:
    """Train adapters in a tiny model; return them and the log."""
    model, aside = fresh(kind), Rows()
    adapt(model, CONFIG, KEYS)
    train(model, examples(), CONFIG, pad_id=2, aside=aside, ranks=ranks)
    return {name: weight.detach() for name, weight in trained_weights(model).items()}, aside.rows


@pytest.mark.parametrize("kind", ["llama", "gptj"])
def test_two_ranks_learn_what_one_process_learns(tmp_path: Path, kind: str) -> None:
    """Loss of every step to 1e-6; what is trained to a two-hundredth of a step, of both ranks to the last bit.

    Llama's embedding is its head, GPT-J's is not.
    """
    first, second = learned(tmp_path, lambda ranks: learn(ranks, kind))
    weights, rows = learn(ALONE, kind)

    assert [one["loss"] for one in first[1]] == pytest.approx([one["loss"] for one in rows], rel=1e-6)
    assert [one["grad_norm"] for one in first[1]] == pytest.approx([one["grad_norm"] for one in rows], rel=1e-5)
    for name, weight in weights.items():
        torch.testing.assert_close(first[0][name], weight, rtol=0, atol=5e-5)
        assert torch.equal(first[0][name], second[0][name])


@pytest.mark.parametrize("merge", [True, False])
def test_a_run_of_two_ranks_writes_what_one_writes(tmp_path: Path, tiny: Path, colours: Path, *, merge: bool) -> None:
    """Merged or kept apart: the losses of one process, a checkpoint that was read again."""
    settings: dict[str, Any] = {"steps": 4, "epochs": 2, "rows_per_step": 4, "lr": 1e-2, "lora_rank": 4, "merge": merge}
    two = replace(request(colours, tiny, tmp_path / "two", **settings, parallel="replicas"), watching=SILENT_RUN)
    two_ranks(two, tmp_path / "meeting")
    fit(replace(two, out=tmp_path / "one"))

    losses = [[json.loads(line)["loss"] for line in (tmp_path / name / "log.jsonl").open()] for name in ("two", "one")]
    run = read_run(tmp_path / "two")
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert run.reloaded
    assert (run.kept is None, run.merged is None) == (merge, not merge)


def test_adapters_in_a_divided_model_are_refused_before_anything_is_loaded(
    tmp_path: Path, tiny: Path, colours: Path
) -> None:
    """The first rank says why, the other ends with it; nothing is written."""
    wanted = request(colours, tiny, tmp_path / "out", lora_rank=4, parallel="sharded")

    def take_part(ranks: Ranks) -> None:
        if ranks.first:
            fit(replace(wanted, devices=ranks.size), ranks=ranks)
        else:
            follow(wanted, ranks)

    said = as_ranks(2, tmp_path / "meeting", take_part)

    assert InputError.__name__ in said[0]
    assert "found sharded with adapters (--lora-rank)" in said[0]
    assert said[1].startswith("LostRankError")
    assert not (tmp_path / "out").exists()
