"""Options that several commands have, and how a command gets them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from schemas.prompt import TEMPLATES

Command = TypeVar("Command", bound=Callable[..., Any])


class DataPath(click.Path):
    """Records to read: a path, or the address of a step, a release or a file, which is fetched and verified as ever."""

    def __init__(self, *, chain: bool = False) -> None:
        """With `chain`, the steps that led to a step are fetched, too."""
        super().__init__(path_type=Path)
        self._chain = chain

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return where they stand on this machine; several processes of one machine fetch them once."""
        from schemas.address import is_address

        if not is_address(value):
            return super().convert(value, param, ctx)
        from schemas.mirror import fetch_step, here

        return fetch_step(str(value)) if self._chain else here(str(value))


DATA, CHAIN = DataPath(), DataPath(chain=True)
WATCHING = (
    click.option("--plain", is_flag=True, help="Plain progress lines instead of a bar."),
    click.option("--json", "as_json", is_flag=True, help="Print events and results as JSON lines."),
)
SAMPLING = (
    click.option(
        "--max-new-tokens", type=click.IntRange(1), default=256, show_default=True, help="Tokens of an answer."
    ),
    click.option("--seed", type=int, default=42, show_default=True, help="Of the draws."),
)
TEMPLATE = click.option(
    "--template", type=click.Choice(tuple(TEMPLATES)), default=None, help="Prompt for a model that brings none."
)


def with_options(*options: Callable[[Any], Any]) -> Callable[[Command], Command]:
    """Add options to a command, first to last as they stand in its help."""

    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add
