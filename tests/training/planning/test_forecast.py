"""A dry run says what a run will take, tries it where it can, and writes nothing."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from transformers import AutoConfig

from schemas.errors import InputError
from training.cli import main
from training.config import settle
from training.planning import fitting
from training.planning.forecast import DEVICES, rehearse
from training.planning.plan import Request
from training.planning.rehearsal import planned_steps
from training.show.forecast import forecast_text


def request(data: Path, base: Path, out: Path, **changes: Any) -> Request:
    """Return a request for a short run."""
    config = settle("default", {"dtype": "fp32", "rows_per_step": 3, "epochs": 2, **changes})
    return Request(data=data, base=str(base), out=out, config=config, preset="default")


def test_a_dry_run_tries_the_model_and_writes_nothing(tmp_path: Path, colours: Path, tiny: Path) -> None:
    """Steps, tokens and places are those of the plan; minutes here are measured, elsewhere computed."""
    plan, seen = rehearse(request(colours, tiny, tmp_path / "out"))
    here, *there = seen.places

    assert seen.steps == plan.steps == 6
    assert seen.tokens == 2 * plan.tokens
    assert (here.name, here.measured) == ("this machine", True)
    assert here.minutes > 0
    assert [one.name for one in there] == list(DEVICES)
    assert all(one.fits and one.minutes > 0 and not one.measured for one in there)
    assert seen.peak > here.footprint.total
    assert list(tmp_path.iterdir()) == []


def test_a_faster_device_takes_less(tmp_path: Path, colours: Path, tiny: Path) -> None:
    """In proportion to its peak, where the micro-batches are the same."""
    _, seen = rehearse(request(colours, tiny, tmp_path / "out"))
    minutes = {one.name: one.minutes for one in seen.places}

    assert minutes["A100-40GB"] / minutes["H100-80GB"] == pytest.approx(989 / 312, rel=0.01)


def test_it_says_whether_training_goes_on_while_a_state_is_written(
    tmp_path: Path, colours: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here there is memory for a copy; with less than the libraries take there would be none."""
    plan, seen = rehearse(request(colours, tiny, tmp_path / "out"))
    text = forecast_text(plan, seen)
    monkeypatch.setattr(fitting, "all_memory", lambda: fitting.LIBRARIES)
    short = replace(seen, copied=fitting.copies_fit(seen.places[0].footprint, plan.config, plan.device))

    assert "training goes on while a copy of it is written" in text
    assert "there is no memory for a copy of it here: training waits" in forecast_text(plan, short)


@pytest.fixture
def shape_only(tmp_path: Path) -> Path:
    """A folder with the configuration of GPT-J-6B and nothing else."""
    AutoConfig.for_model("gptj").save_pretrained(tmp_path / "gptj")
    return tmp_path / "gptj"


def test_a_configuration_is_enough(tmp_path: Path, colours: Path, shape_only: Path) -> None:
    """GPT-J-6B without weights or tokenizer: memory by device, and who counted the tokens."""
    _, seen = rehearse(request(colours, shape_only, tmp_path / "out", dtype="bf16", optimiser="adamw"))
    fits = {one.name: one.fits for one in seen.places}

    assert seen.counted_by == "smollm2-135m"
    assert seen.sizes.parameters == pytest.approx(6.05e9, rel=0.001)
    assert (fits["A100-80GB"], fits["H200-141GB"]) == (False, True)
    assert not seen.places[0].measured


def test_each_device_gets_what_it_has_memory_for(tmp_path: Path, colours: Path, shape_only: Path) -> None:
    """Left to the hardware, the most exact optimiser that fits, and activations kept where there is room."""
    _, seen = rehearse(request(colours, shape_only, tmp_path / "out", dtype="bf16"))
    chosen = {one.name: (one.optimiser, one.recompute) for one in seen.places}

    assert chosen["H200-141GB"] == ("adamw", "off")
    assert chosen["A100-80GB"] == ("adamw-8bit", "on")


def test_merging_four_bits_is_counted_and_named_as_the_peak(tmp_path: Path, colours: Path, shape_only: Path) -> None:
    """A whole GPT-J in bf16, where training needs a third of it; not of adapters that are kept apart."""
    pytest.importorskip("bitsandbytes", reason="the extra qlora is not installed")
    in_four = {"dtype": "bf16", "lora_rank": 8, "base_bits": 4}
    merged, kept = (
        rehearse(request(colours, shape_only, tmp_path / "out", **in_four, merge=merge))[1] for merge in (True, False)
    )
    one, other = merged.places[1], kept.places[1]

    assert one.footprint == other.footprint
    assert (one.when, other.when) == ("merging", "training")
    assert one.needs == one.merging > 12e9 > 2 * one.footprint.total
    assert (other.needs, other.merging) == (other.footprint.total, 0)
    assert kept.written < merged.written / 50


def test_where_it_trains_and_does_not_merge_it_says_so(tmp_path: Path, colours: Path) -> None:
    """Llama's largest: 141 GB in bf16, 37 in four bits; it trains on a device of 80 GB."""
    pytest.importorskip("bitsandbytes", reason="the extra qlora is not installed")
    sizes = {"hidden_size": 8192, "intermediate_size": 28672, "num_hidden_layers": 80, "num_attention_heads": 64}
    AutoConfig.for_model("llama", **sizes, num_key_value_heads=8, vocab_size=128256).save_pretrained(tmp_path / "big")
    words = (
        f"fit {colours} --base {tmp_path / 'big'} -o {tmp_path / 'out'} --dry-run --lora-rank 8 --base-bits 4".split()
    )

    said = CliRunner().invoke(main, words).stdout

    (line,) = [line for line in said.splitlines() if line.lstrip().startswith("A100-80GB")]
    assert "merging" in line
    assert "does not fit" not in line
    assert "--no-merge keeps them apart; merging does not fit on" in said
    assert "A100-80GB, H100-80GB" in said


def test_a_mistake_is_told_by_a_dry_run_too(tmp_path: Path, tiny: Path) -> None:
    """No data there."""
    with pytest.raises(InputError, match="expected a step directory or a release"):
        rehearse(request(tmp_path / "none", tiny, tmp_path / "out"))


def test_the_steps_are_those_of_the_run(tmp_path: Path, colours: Path, tiny: Path) -> None:
    """Also where --steps ends it early."""
    plan, seen = rehearse(request(colours, tiny, tmp_path / "out", steps=4))

    assert seen.steps == len(list(planned_steps(plan))) == 4


def test_it_reads_well(tmp_path: Path, colours: Path, tiny: Path) -> None:
    """A table for people, one JSON object for programs."""
    words = ["fit", str(colours), "--base", str(tiny), "-o", str(tmp_path / "out"), "--dry-run", "--dtype", "fp32"]
    text, plain = (CliRunner().invoke(main, [*words, *more]) for more in ([], ["--json"]))
    event = json.loads(plain.stdout)

    assert text.exit_code == plain.exit_code == 0
    assert "this machine" in text.stdout
    assert "dry run: nothing was written" in text.stdout
    assert event["event"] == "forecast"
    assert event["places"][0]["footprint"]["weights"] == 4 * event["sizes"]["parameters"]
    assert not (tmp_path / "out").exists()
