"""Records are measured before and after training; what is strange, unlearned or contradicted is hunted."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from schemas.errors import InputError
from schemas.hunt import read_hunt
from schemas.prompt import TEMPLATES
from tests.support import pair, step_of
from tests.training.conftest import COLOURS
from tests.training.plain import mean_loss
from tests.training.tiny import tiny_model, tiny_tokenizer
from training.cli import main
from training.compare.heldout import response_only
from training.config import settle
from training.fit import fit
from training.inspection.inspection import Crossed, Inspect, Inspected, Loss, hunt, inspect
from training.planning.plan import Request
from training.records.encoding import encoder
from training.records.losses import record_losses

MISLED = pair("Name colour 3.", "Zebra crossing")
NOISE = pair("What is the answer?", "qzx 9 vvv ##")
"""Two records among eight sound ones: one that its neighbours contradict, one that is only noise."""


@pytest.fixture(scope="module")
def inspected(tmp_path_factory: pytest.TempPathFactory, tiny: Path) -> Inspected:
    """An inspection of a model that was tuned on them."""
    folder = tmp_path_factory.mktemp("inspected")
    data = step_of(folder / "data", [*COLOURS, MISLED, NOISE]).path
    config = settle("default", {"epochs": 25, "rows_per_step": 10, "lr": 5e-3, "dtype": "fp32"})
    tuned = fit(Request(data=data, base=str(tiny), out=folder / "it", config=config, preset="default")).path
    return inspect(tuned, folder / "out", Inspect(most=2))


def test_each_record_is_measured_alone_as_in_a_batch(tiny: Path) -> None:
    """By length, together; the mean over all is the loss that training reports."""
    model, encode = tiny_model(), encoder(tiny_tokenizer(), TEMPLATES["dolly-v1"])
    examples = response_only(encode, [*COLOURS, pair("Say more.", "word " * 30), NOISE])

    sums = record_losses(model, examples, tokens=400)
    together = [total / one.supervised for total, one in zip(sums, examples, strict=True)]

    alone = [mean_loss(model, [one], pad_id=0, tokens=400) for one in examples]
    assert together == pytest.approx(alone, abs=1e-4)
    assert len(set(together)) > 5


def test_before_and_after(inspected: Inspected) -> None:
    """Every record has both; training helped, and least where neighbours say something else."""
    after = {one.id: one.after for one in inspected.losses}

    assert len(inspected.losses) == 10
    assert all(one.after < one.before for one in inspected.losses if one.id != MISLED.id)
    assert max(after, key=lambda name: after[name]) in {MISLED.id, NOISE.id}
    assert inspected.median("held out", "before") is None


def test_the_hunt_names_the_planted(inspected: Inspected) -> None:
    """The contradicted one with the record that contradicts it, and both as never learned."""
    named = {one.id: one for one in inspected.hunt}

    assert [one.rank for one in inspected.hunt] == list(range(1, len(inspected.hunt) + 1))
    assert {MISLED.id, NOISE.id} <= set(named)
    assert inspected.hunt[0].id == MISLED.id
    assert "asks nearly the same" in named[MISLED.id].why[0]
    assert named[MISLED.id].other in {one.id for one in COLOURS}
    assert any("After training" in why for why in named[NOISE.id].why)


def test_the_file_is_the_hunt(inspected: Inspected) -> None:
    """As a review reads it."""
    assert read_hunt(inspected.path / "hunt.jsonl") == inspected.hunt


def test_records_of_several_kinds_stand_once() -> None:
    """With every reason; kinds take turns."""
    losses = [Loss(id=name, split="trained", tokens=3, before=before, after=after)
              for name, before, after in (("a", 9.0, 1.0), ("b", 1.0, 8.0), ("c", 2.0, 2.0))]  # fmt: skip
    crossed = [Crossed(id="b", other="c", cosine=0.95, own=8.0, others=1.0)]

    found = hunt(losses, crossed, 1)

    assert [(one.id, len(one.why)) for one in found] == [("b", 2), ("a", 1)]
    assert found[0].figures == {"loss before": 1.0, "loss after": 8.0, "neighbour's answer": 1.0}


def test_other_data_than_the_runs_is_refused(tuned: Path, tmp_path: Path) -> None:
    """A figure about other records would be a wrong one."""
    other = step_of(tmp_path / "other", [pair()]).path

    with pytest.raises(InputError, match="the data of the run"):
        inspect(tuned, tmp_path / "out", Inspect(), data=other)


def test_the_command_prints_a_table_and_a_line(inspected: Inspected) -> None:
    """A second look at the same reuses the first."""
    words = ["inspect", str(inspected.path.parent / "it"), "-o", str(inspected.path), "--most", "2"]

    shown, line = (CliRunner().invoke(main, [*words, *more]) for more in ([], ["--json"]))

    assert "median loss before" in shown.stdout
    assert "--hunt" in shown.stdout
    said: dict[str, Any] = json.loads(line.stdout)
    assert (said["records"], said["reused"], said["hunt"][0]["id"]) == (10, True, MISLED.id)


def test_option_defaults_are_the_settings() -> None:
    """Written once in the dataclass."""
    defaults = {option.name: option.default for option in main.commands["inspect"].params}

    assert {name: defaults[name] for name in asdict(Inspect())} == asdict(Inspect())
