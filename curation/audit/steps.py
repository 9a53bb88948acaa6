"""What somebody asked to be audited: a recipe or some checks, with or without a check, over which data."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.filters.request import FilterRequest
from curation.recipes import STAGES
from schemas.errors import InputError
from schemas.recipe import Recipe, read_recipe
from schemas.record import Row

STEPS: tuple[Row, ...] = ({"filter": {}}, {"dedupe": {}})
"""What is audited where nobody names a recipe: every check and dedupe, with their defaults."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request for an audit."""

    recipe: Path | None = None
    data: str = ""
    """Empty: what the recipe validates."""
    only: tuple[str, ...] = ()
    """Checks to audit by themselves, in place of a recipe."""
    skip: tuple[str, ...] = ()
    """Checks to leave out of every filter step."""

    def source(self) -> str:
        """Return the data to plant in.

        Raises:
            InputError: nobody names any.
        """
        source = self.data or (source_of(read_recipe(self.recipe)) if self.recipe else "")
        if not source:
            raise InputError(place="--data", expected="a step directory or a file to plant in", found="none")
        return source

    def steps(self) -> tuple[Row, ...]:
        """Return the steps to audit.

        Raises:
            InputError: a recipe and checks at once, a recipe without a step that can be audited, an unknown check.
        """
        if self.recipe and self.only:
            raise InputError(place="--check", expected="a recipe or checks", found="both")
        if self.only:
            return ({"filter": {"checks": _settings(FilterRequest(only=self.only, skip=self.skip))}},)
        steps = curation_steps(read_recipe(self.recipe)) if self.recipe else STEPS
        return tuple(_without(step, self.skip) for step in steps)


def curation_steps(recipe: Recipe) -> tuple[Row, ...]:
    """Return the steps of a recipe that an audit runs: those that judge records by themselves.

    Raises:
        InputError: there are none.
    """
    steps: tuple[Row, ...] = tuple({step.kind: dict(step.settings)} for step in recipe.steps if step.kind in STAGES)
    if not steps:
        raise InputError(place=recipe.name, expected=f"a step among {', '.join(STAGES)}", found="none")
    return steps


def source_of(recipe: Recipe) -> str:
    """Return the data that a recipe reads; empty where it makes them."""
    return next((str(step.settings.get("source", "")) for step in recipe.steps if step.kind == "validate"), "")


def _settings(request: FilterRequest) -> dict[str, Any]:
    return dict(request.stage().checks)


def _without(step: Row, skip: tuple[str, ...]) -> Row:
    """Return a step with some checks turned off, if it is a filter."""
    return dict(_skipping(step, skip)) if skip else step


def _skipping(step: Row, skip: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for kind, settings in step.items():
        if kind == "filter":
            off = {name: {"action": "off"} for name in skip}
            yield kind, {**settings, "checks": {**settings.get("checks", {}), **off}}
        else:
            yield kind, settings
