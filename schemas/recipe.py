"""A recipe: a YAML file that names stages and their settings, in order. `dolly-data run` walks it.

    name: my-set
    steps:
      - validate: {source: data.jsonl}
      - filter
      - dedupe: {threshold: 0.9}
      - release: {title: my-set, license: cc-by-4.0}
      - train: {base: smollm2-135m}

A step is a name, or a name with settings. Paths in settings count from the current directory.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from schemas.errors import InputError
from schemas.record import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeStep:
    """One step of a recipe."""

    kind: str
    """The stage's name."""
    settings: Row = field(default_factory=dict)
    """What the recipe says of it; everything else is the stage's default."""
    place: str = ""
    """Where it stands, for messages: `recipe.yaml: steps[2]`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The steps from a source to its end."""

    name: str
    steps: tuple[RecipeStep, ...]


def read_recipe(path: Path) -> Recipe:
    """Read a recipe.

    Raises:
        InputError: not YAML, or not a recipe; names the place, what was found and what is expected.
    """
    try:
        value = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(place=path, expected="a recipe", found=error.strerror or str(error)) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(place=path, expected="YAML", found=" ".join(str(error).split())) from error
    return parse_recipe(value, str(path))


def parse_recipe(value: object, place: str) -> Recipe:
    """Make a recipe of what stands in a YAML file called `place`."""
    if not isinstance(value, Mapping):
        raise InputError(place=place, expected="name and steps", found=type(value).__name__)
    if unknown := set(value) - {"name", "steps"}:
        raise InputError(place=place, expected="name and steps", found=", ".join(sorted(map(str, unknown))))
    name, steps = value.get("name"), value.get("steps")
    if not isinstance(name, str) or not name.strip():
        raise InputError(place=place, field="name", expected="text", found=repr(name))
    if not isinstance(steps, list) or not steps:
        raise InputError(place=place, field="steps", expected="a list of steps", found=repr(steps))
    return Recipe(name=name, steps=tuple(_step(one, f"{place}: steps[{n}]") for n, one in enumerate(steps)))


def _step(value: Any, place: str) -> RecipeStep:
    if isinstance(value, str):
        return RecipeStep(kind=value, place=place)
    if isinstance(value, Mapping) and len(value) == 1:
        kind, settings = next(iter(value.items()))
        if settings is None or isinstance(settings, Mapping):
            return RecipeStep(kind=str(kind), settings=dict(settings or {}), place=place)
        raise InputError(place=place, field=str(kind), expected="settings", found=repr(settings))
    raise InputError(place=place, expected="a step's name, or its name with settings", found=repr(value))
