"""The reference has a section for every command; `make docs` holds what stands there to be true."""

from collections.abc import Iterator

import click
import pytest

from curation.cli import main as data
from tests.support import ROOT
from training.cli import main as train

PAGE = (ROOT / "docs/reference.md").read_text(encoding="utf-8")


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
