"""Defaults live once, in the stage: what an option's help says is what the stage does."""

from dataclasses import MISSING, fields
from typing import Any

import click
import pytest

from curation.audit.audit import Audit
from curation.cli import main
from curation.contamination.stage import Decontaminate
from curation.dedupe.stage import Dedupe
from curation.filters.survey import Survey
from curation.generate.seed_import import SeedDraw
from curation.generate.source import Generate
from curation.generate.suggest import Suggest
from curation.mock.service import MockEndpoint
from curation.release.build import Release
from curation.review.sample import Draw
from curation.score.stage import Scoring
from curation.select.stage import Select
from curation.sources import Validate

OPTIONS: list[tuple[str, Any]] = [
    ("seeds from", SeedDraw),
    ("seeds suggest", Suggest),
    ("validate", Validate),
    ("generate", Generate),
    ("mock-endpoint", MockEndpoint),
    ("survey", Survey),
    ("decontaminate", Decontaminate),
    ("dedupe", Dedupe),
    ("score records", Scoring),
    ("select", Select),
    ("audit", Audit),
    ("release build", Release),
    ("review sample", Draw),
]


def command(words: str) -> click.Command:
    """Return a command by its words."""
    found: click.Command = main
    for word in words.split():
        assert isinstance(found, click.Group)
        inner = found.get_command(click.Context(found), word)
        assert inner is not None
        found = inner
    return found


def defaults(words: str) -> dict[str, Any]:
    """Return the default of each option by its long name, as a settings' name."""
    options = (option for option in command(words).params if isinstance(option, click.Option))
    return {max(option.opts, key=len).lstrip("-").replace("-", "_"): _default(option) for option in options}


def _default(option: click.Option) -> Any:
    """Return an option's default; a flag that says nothing of it is off."""
    return False if option.is_flag and option.default is not True else option.default


@pytest.mark.parametrize(("words", "shape"), OPTIONS, ids=[words for words, _ in OPTIONS])
def test_options_and_settings_have_the_same_defaults(words: str, shape: Any) -> None:
    """Wherever an option is called like a setting, its default is the setting's."""
    here = defaults(words)
    settings = {one.name: one.default for one in fields(shape) if one.default is not MISSING}
    shared = set(here) & set(settings)

    assert shared
    assert {name: here[name] for name in shared} == {name: settings[name] for name in shared}
