"""Recipes walked: each step reads what the one before left, finished ones are reused, mistakes are found early."""

import re
from pathlib import Path

import pytest

from curation.recipes import Done, _option, _read, stage_of, walk_recipe
from curation.release.build import Release
from curation.select.stage import Select
from schemas.codec import as_config
from schemas.errors import InputError
from schemas.outcome import SILENT
from schemas.recipe import parse_recipe, read_recipe
from tests.support import ROOT

ROWS = str(ROOT / "docs" / "example" / "rows.jsonl")


def walked(folder: Path, *steps: object) -> list[Done]:
    """Walk a recipe of these steps."""
    return list(walk_recipe(parse_recipe({"name": "t", "steps": list(steps)}, "r.yaml"), folder, aside=SILENT))


def test_each_step_leaves_its_numbered_place(tmp_path: Path) -> None:
    """A sample for people and a report are files; a stage is a directory."""
    done = walked(tmp_path, {"validate": {"source": ROWS}}, "filter", {"review": {"sample": 3}}, "report")

    assert [one.path.name for one in done] == ["1-validate", "2-filter", "3-review.jsonl", "4-report.html"]
    assert all(one.path.exists() for one in done)


SETTINGS = """
name: t
steps:
  - filter: {checks: {toxic_words: {action: off}}}
  - select: {keep: 50}
  - release: {title: 5, date: 2026-11-22}
"""


def test_settings_need_no_quotation_marks(tmp_path: Path) -> None:
    """What YAML reads as a switch, a number and a day is what was written."""
    read = []
    for number, text in enumerate((SETTINGS, re.sub(r"(off|50|5|2026-11-22)(?=[,}])", r"'\1'", SETTINGS))):
        (tmp_path / f"{number}.yaml").write_text(text)
        filter_, select, release_ = read_recipe(tmp_path / f"{number}.yaml").steps
        shapes = (_read(Select, select.settings, select), _read(Release, release_.settings, release_))
        read.append([stage_of(filter_), *shapes])

    assert [as_config(one) for one in read[0]] == [as_config(one) for one in read[1]]
    with pytest.raises(InputError, match="encoder"):
        _read(Select, {"keep": "5", "encoder": True}, select)


def test_a_second_walk_reuses_what_is_finished(tmp_path: Path) -> None:
    """A changed setting redoes its step and what depends on it, nothing before it."""
    source = {"validate": {"source": ROWS}}
    walked(tmp_path, source, "filter", {"dedupe": {"encoder": "hashing"}})

    again = walked(tmp_path, source, "filter", {"dedupe": {"encoder": "hashing", "threshold": 0.5}})

    assert [one.reused for one in again] == [True, True, False]


def test_a_sample_that_people_may_be_working_on_is_left_as_it_is(tmp_path: Path) -> None:
    """A second walk does not overwrite decisions."""
    steps = ({"validate": {"source": ROWS}}, {"review": {"sample": 3}})
    walked(tmp_path, *steps)
    sample = tmp_path / "2-review.jsonl"
    sample.write_text(sample.read_text().replace('"decision":null', '"decision":"accept"'))
    decided = sample.read_text()

    walked(tmp_path, *steps)

    assert sample.read_text() == decided


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        (["nonsense"], r"steps\[0\]: expected one of generate, validate, .*found nonsense"),
        (["filter"], r"steps\[0\]: expected a source before it"),
        ([{"validate": {"source": ROWS, "sauce": 1}}], r"steps\[0\]: validate: sauce: expected one of source, format"),
        ([{"validate": {"source": ROWS, "max_row_mib": "big"}}], r"max_row_mib: expected .*number"),
        ([{"validate": {"source": ROWS}}, {"report": {"sauce": 1}}], r"report: sauce: expected one of plan, decisions"),
        ([{"validate": {"source": ROWS}}, "compare"], r"steps\[1\]: expected train before it"),
    ],
)
def test_a_mistake_in_a_recipe_names_its_step(tmp_path: Path, steps: list[object], says: str) -> None:
    """Place, setting, what was found and what is expected."""
    with pytest.raises(InputError, match=says):
        walked(tmp_path, *steps)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("greedy", False, ["--sample"]),
        ("merge", False, ["--no-merge"]),
        ("reload_check", False, ["--no-reload-check"]),
        ("merge", True, ["--merge"]),
        ("force", False, []),
        ("lora_rank", 8, ["--lora-rank", "8"]),
        ("base", "tiny", ["--base", "tiny"]),
    ],
)
def test_settings_become_options(name: str, value: object, words: list[str]) -> None:
    """A switch that is on by itself is turned off, not left out."""
    assert _option(name, value) == words
