"""The reference has a section for every command, and a row for every setting of a recipe.

`make docs` holds what commands print there to be true.
"""

import importlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from curation.cli import main as data
from curation.filters.catalogue import CHECKS
from curation.generate.gates import FOR_INSTRUCTIONS, FOR_RECORDS
from curation.recipes import KINDS, walk_recipe
from schemas.errors import InputError
from schemas.outcome import SILENT
from schemas.recipe import parse_recipe
from tests.recipe_settings import NOT_OURS, page, settings
from tests.support import ROOT
from training.cli import main as train

PAGE = (ROOT / "docs/reference.md").read_text(encoding="utf-8")
DECISIONS = {"decisions": "decided.jsonl"}


def commands(command: click.Command, name: str) -> Iterator[str]:
    """Yield the name of every command under one."""
    if not isinstance(command, click.Group):
        yield name
        return
    context = click.Context(command)
    for word in command.list_commands(context):
        below = command.get_command(context, word)
        assert below is not None
        yield from commands(below, f"{name} {word}")


@pytest.mark.parametrize("name", [*commands(data, "dolly-data"), *commands(train, "dolly-train")])
def test_every_command_is_documented(name: str) -> None:
    """Under its own heading, with its help run there."""
    assert f"\n### {name}\n" in PAGE
    assert f"\n$ {name} --help\n" in PAGE


def taken(kind: str, given: Mapping[str, Any]) -> set[str]:
    """Return the settings that a step says it takes, besides those that it is given."""
    recipe = parse_recipe({"name": "t", "steps": [{kind: {**given, "no_such_setting": 1}}]}, "r.yaml")
    with pytest.raises(InputError, match=r"no_such_setting: expected one of .*, found an unknown setting") as told:
        list(walk_recipe(recipe, Path("nowhere"), aside=SILENT))
    names = re.search("expected one of (.*), found", str(told.value))
    assert names
    return set(names[1].split(", ")) - NOT_OURS


def named(kind: str) -> set[str]:
    """Return the settings of a step that the reference names."""
    return {one.name for one in settings() if one.kind == kind}


def test_the_table_of_settings_is_made_from_the_stages() -> None:
    """Each with the default that it has now."""
    assert page(PAGE) == PAGE


def test_a_setting_that_is_missing_from_the_page_is_noticed() -> None:
    """The page is not only compared with itself."""
    shorter = re.sub(r"\n\| `select` \| `keep` .*", "", PAGE)

    assert page(shorter) == PAGE != shorter


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"select", "review", "train", "compare"}))
def test_the_reference_names_what_a_step_takes(kind: str) -> None:
    """No more, no less."""
    assert named(kind) == taken(kind, {})


def test_the_reference_names_what_select_and_review_take_besides_a_stage() -> None:
    """The seed of the controls is the walk's; a sample has the name of what it is; decisions make it another stage."""
    assert named("select") == taken("select", {"seed": 2}) | {"seed"}
    assert named("review") == (taken("review", {"sample": 3}) - {"n"}) | {"sample"} | taken("review", DECISIONS)


def test_the_recipe_in_the_reference_is_one() -> None:
    """Its steps are read as far as they can be without data."""
    example = re.search(r"```yaml\n(.*?)```", PAGE.partition("\n## Recipes\n")[2], re.DOTALL)
    assert example
    for step in yaml.safe_load(example[1]):
        with pytest.raises(InputError, match="expected a source before it"):
            list(walk_recipe(parse_recipe({"name": "t", "steps": [step]}, "r.yaml"), Path("nowhere"), aside=SILENT))


def test_the_page_about_generating_names_the_checks_that_are_no_gates() -> None:
    """The language is one where it is asked for."""
    told = (ROOT / "docs/generate.md").read_text(encoding="utf-8").partition("left to `filter`")[2].partition(".")[0]

    acting = {code for code, check in CHECKS.items() if check.action != "flag"}
    assert set(re.findall("`(.*?)`", told)) == acting - {*FOR_INSTRUCTIONS, *FOR_RECORDS, "wrong_language"}


def left_aside() -> Iterator[str]:
    """Yield the names that stages of curation leave rows under, as their code says them."""
    for path in sorted((ROOT / "curation").rglob("*.py")):
        for quote, name in re.findall(r"aside\.leave\(\s*(\"?)(\w+)", path.read_text(encoding="utf-8")):
            if quote:
                yield name
            elif name.isupper():
                module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
                yield getattr(importlib.import_module(module), name)


def test_the_reference_names_every_file_of_a_step() -> None:
    """The names are found in the code, so the search has to find some that are known."""
    found = {f"{name}.jsonl" for name in left_aside()}

    assert {"novelty.jsonl", "ranking.jsonl", "matches.jsonl"} <= found
    table = PAGE.partition("\n## Files of a step directory\n")[2]
    assert found <= set(re.findall(r"^\| `(.*?)`", table, re.MULTILINE))
