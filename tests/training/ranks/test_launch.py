"""`dolly-train --devices 2` starts its processes itself, and says why they ended."""

import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from tests.training.checkpoint.test_resume import STEPS, Process, stopped, words_of
from tests.training.forked import as_ranks
from training.checkpoint.checkpoint import read_run
from training.checkpoint.resume import resume_beside
from training.config import Parallel, settle
from training.fit import fit, follow
from training.planning.plan import Request
from training.ranks.distributed import Ranks
from training.watch_config import WatchConfig

SILENT_RUN = WatchConfig(sample_tokens=0)


def two_ranks(request: Request, meeting: Path) -> None:
    """Do what two processes of the command do, in forks of this one: they need not load torch again."""

    def take_part(ranks: Ranks) -> None:
        if ranks.first:
            fit(replace(request, devices=ranks.size), ranks=ranks)
        else:
            follow(request, ranks)

    assert as_ranks(2, meeting, take_part) == [None, None]


def ranks_of(launcher: int) -> list[int]:
    """Return the processes that a launcher has started, by rank."""
    children = Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split()
    numbers = {int(one): _variables(one).get("RANK") for one in children}
    return sorted((one for one, rank in numbers.items() if rank), key=lambda one: str(numbers[one]))


def _variables(process: str) -> dict[str, str]:
    words = Path(f"/proc/{process}/environ").read_text().split("\0")
    return dict(word.split("=", 1) for word in words if "=" in word)


def test_a_killed_rank_is_named_and_the_run_goes_on_to_the_same_bytes(
    tmp_path: Path, tiny: Path, colours: Path
) -> None:
    """One rank killed, then all asked to end, then run to the end: the weights of an undisturbed run of two ranks."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    config = settle("dolly-v1", {"epochs": STEPS // 2, "rows_per_step": 4, "lr": 1e-3})  # what the words ask for
    request = Request(
        data=colours, base=str(tiny), out=whole, config=config, preset="dolly-v1", watching=SILENT_RUN, save_minutes=0
    )
    two_ranks(request, tmp_path / "meeting")
    words = [*words_of(colours, tiny, broken, minutes=0.0001), "--devices", "2", "--sample-tokens", "0"]
    code, killed = stopped(words, broken, 3, lambda process: os.kill(ranks_of(process.pid)[1], signal.SIGKILL))
    ended, asked = stopped(words, broken, 9, Process.terminate)
    two_ranks(replace(request, out=broken), tmp_path / "again")

    assert "rank 1 was ended by SIGKILL; the same command goes on from the last saved state" in killed
    assert (code, ended) == (1, 130)
    assert "the same command goes on from there" in asked
    assert (broken / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    assert not resume_beside(broken).exists()


@pytest.mark.parametrize(("parallel", "preset"), [("sharded", "default"), ("replicas", "default")])
def test_a_run_of_two_ranks_writes_what_one_writes(
    tmp_path: Path, tiny: Path, colours: Path, parallel: Parallel, preset: str
) -> None:
    """Checkpoint, log, evaluations on the way and answers; it is read again and answers as in memory."""
    config = settle(preset, {"epochs": 4, "rows_per_step": 4, "dtype": "fp32", "parallel": parallel})
    watching = WatchConfig(sample_tokens=4, evaluation_share=0.9)
    request = Request(
        data=colours, base=str(tiny), out=tmp_path / "two", config=config, preset=preset, watching=watching
    )
    two_ranks(request, tmp_path / "meeting")
    fit(replace(request, out=tmp_path / "one", config=replace(config, parallel="auto")))

    two, one = (read_run(tmp_path / name) for name in ("two", "one"))
    losses = [[json.loads(line)["loss"] for line in (tmp_path / name / "log.jsonl").open()] for name in ("two", "one")]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert (two.settings["parallel"], one.settings["parallel"]) == (parallel, "replicas")
    assert two.reloaded is not None
    assert two.base.parameters == one.base.parameters
    assert two.watched is not None
    assert two.watched.evaluations >= 2
