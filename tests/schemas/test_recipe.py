"""Recipes: read from YAML, every mistake with its place."""

from pathlib import Path

import pytest

from schemas.errors import InputError
from schemas.recipe import read_recipe


def recipe(tmp_path: Path, text: str) -> Path:
    """Write a recipe."""
    path = tmp_path / "r.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_recipe_is_its_steps_in_order(tmp_path: Path) -> None:
    """A step may stand alone or with settings."""
    found = read_recipe(recipe(tmp_path, "name: a\nsteps:\n- validate: {source: x.jsonl}\n- filter\n- dedupe:\n"))

    assert [(step.kind, dict(step.settings)) for step in found.steps] == [
        ("validate", {"source": "x.jsonl"}),
        ("filter", {}),
        ("dedupe", {}),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- a", r"r\.yaml: expected name and steps, found list"),
        ("name: a\nsteps: []", r"steps: expected a list of steps, found \[\]"),
        ("name: 3\nsteps: [filter]", "name: expected text, found 3"),
        ("name: a\nsteps: [filter]\nextra: 1", "expected name and steps, found extra"),
        ("name: a\nsteps: [{a: 1, b: 2}]", r"steps\[0\]: expected a step's name"),
        ("name: a\nsteps: [{filter: 3}]", r"steps\[0\]: filter: expected settings, found 3"),
        ("name: [", "expected YAML"),
        ("!!python/object/apply:os.system ['true']", "expected YAML"),
    ],
)
def test_a_mistake_names_its_place(tmp_path: Path, text: str, says: str) -> None:
    """Place, field, what was found, what is expected; and YAML runs no code."""
    with pytest.raises(InputError, match=says):
        read_recipe(recipe(tmp_path, text))


def test_a_missing_recipe_is_a_clear_error(tmp_path: Path) -> None:
    """No traceback for a wrong path."""
    with pytest.raises(InputError, match="expected a recipe, found No such file"):
        read_recipe(tmp_path / "none.yaml")
