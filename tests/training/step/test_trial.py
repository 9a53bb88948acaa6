"""The largest micro-batches come before the first step; they leave no trace, and memory that runs out says so."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import DollyError
from tests.support import ROOT, pair, step_of
from tests.training.checkpoint.test_resume import CONFIG, fresh, keeper, stop, weights
from tests.training.checkpoint.test_resume import examples as sixteen_steps
from tests.training.records.test_batching import example, examples
from training.records.batching import MicroBatch, cut
from training.records.encoding import Example
from training.step import loop
from training.step.loop import train
from training.step.trial import largest, memory_in_words


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_run_with_a_trial_ends_in_the_bytes_of_one_without(
    monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype, *, packed: bool
) -> None:
    """GPT-2 draws random numbers in training (dropout); the trial's are put back, its moments forgotten."""
    ends = []
    for trial in (True, False):
        if not trial:
            monkeypatch.setattr(loop, "try_largest", lambda *_: None)
        model = fresh(dtype=dtype)
        train(model, sixteen_steps(), CONFIG, pad_id=2, packed=packed)
        ends.append(weights(model))

    assert ends[0] == ends[1]


@given(st.lists(examples, max_size=4), st.integers(1, 100), st.booleans())
def test_the_largest_of_all_steps_is_tried(steps: list[list[Example]], tokens: int, packed: bool) -> None:
    """No micro-batch of the run computes more tokens than one that is tried, nor has more response tokens."""
    parts = [list(cut(step, tokens=tokens, packed=packed)) for step in steps]
    tried = largest(parts, packed=packed)

    def computed(part: Sequence[Example]) -> int:
        return sum(len(one.input_ids) for one in part) if packed else len(part) * len(part[0].input_ids)

    def supervised(part: Sequence[Example]) -> int:
        return sum(one.supervised for one in part)

    for part in (part for step in parts for part in step):
        assert computed(part) <= max(map(computed, tried))
        assert supervised(part) <= max(map(supervised, tried))


@pytest.mark.parametrize("goes_on", [False, True])
@pytest.mark.parametrize(("tokens", "expected"), [(1, torch.float32), (100_000, torch.bfloat16)])
def test_the_trial_holds_gradients_in_the_precision_that_they_are_summed_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tokens: int, expected: torch.dtype, *, goes_on: bool
) -> None:
    """In fp32 where a step has several micro-batches, in the weights' own where it has one; in every run."""
    if goes_on:
        stop(tmp_path, 3, torch.bfloat16)
    model, held = fresh(dtype=torch.bfloat16), []
    real = loop.backward

    def noting(model: Any, batches: Sequence[MicroBatch], **more: Any) -> float:
        held.append({None if one.grad is None else one.grad.dtype for one in model.parameters()})
        return real(model, batches, **more)

    monkeypatch.setattr(loop, "backward", noting)
    train(model, sixteen_steps(), replace(CONFIG, micro_tokens=tokens), pad_id=2, keeper=keeper(tmp_path, every_s=0))

    assert held[0] == {expected}


def test_memory_runs_out_before_the_first_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Although the micro-batch that is too large comes in the last one; the message says what to change."""
    model, data = fresh(), sixteen_steps()
    long = example(3, 5, 90)
    real, rows = loop.backward, []

    def small(model: Any, batches: Sequence[MicroBatch], *, head_only: bool) -> float:
        if any(batch.supervised > 85 for batch in batches):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nGPU 0 has …")
        rows.append(1)
        return real(model, batches, head_only=head_only)

    monkeypatch.setattr(loop, "backward", small)
    with pytest.raises(
        DollyError, match=r"largest micro-batch \(\d records?, \d+ tokens, \d+ of .*--micro-tokens.*2.00 GiB\.\]"
    ):
        train(model, [*data, long], CONFIG, pad_id=2)

    assert rows == []


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate")])
def test_a_processor_runs_out_in_words_too(error: Exception) -> None:
    """Which torch says in another way than an accelerator."""
    with pytest.raises(DollyError, match="there is not enough memory for a test"), memory_in_words("a test"):
        raise error


def test_any_other_error_is_left_to_crash() -> None:
    """A bug must not look like a full memory."""
    with pytest.raises(RuntimeError, match="shapes"), memory_in_words("a test"):
        raise RuntimeError("shapes do not fit")


def test_a_process_that_may_have_no_more_memory_says_so(tmp_path: Path, tiny: Path) -> None:
    """With the limit of the operating system, through the command line: no traceback, nothing half-written."""
    code = (
        "import resource, sys, training.fit, training.show.run, training.step.loop\n"
        "from training.cli import main\n"
        "real = training.step.loop.Stepper\n"
        "def full(**more):\n"
        "    held = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "    resource.setrlimit(resource.RLIMIT_AS, (held + 2**20, -1))\n"
        "    return real(**more)\n"
        "training.step.loop.Stepper = full\n"
        "main(sys.argv[1:])\n"
    )
    data = step_of(tmp_path / "data", [pair(f"Say {at}.", "word " * 40) for at in range(64)]).path
    words = [data, "--base", tiny, "-o", tmp_path / "out", "--dtype", "fp32", "--micro-tokens", "100000", "--plain"]
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, words), "--packing", "off"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )

    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
    assert "there is not enough memory for" in done.stderr
    assert not (tmp_path / "out").exists()
