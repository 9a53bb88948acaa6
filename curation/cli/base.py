"""What every command shares: the table they are found in, the options they have in common, how a step is printed."""

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from schemas.errors import DollyError

INTERRUPTED = 130

CommandFunction = TypeVar("CommandFunction", bound=Callable[..., Any])


class CommandTable(click.Group):
    """A group whose commands are imported when they are needed, and the one place where an error becomes a message."""

    def __init__(self, *, table: Mapping[str, str], **settings: Any) -> None:
        settings.setdefault("context_settings", {"help_option_names": ["-h", "--help"], "max_content_width": 100})
        super().__init__(**settings)
        self._table = table

    def list_commands(self, _: click.Context) -> list[str]:
        """Return the commands in the table's order."""
        return list(self._table)

    def get_command(self, _: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        if cmd_name not in self._table:
            return None
        module, name = self._table[cmd_name].split(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run; a DollyError becomes `Error: …` on stderr and its own exit code."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        try:
            code = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        except DollyError as error:
            sys.exit(_said(str(error), error.exit_code))
        except click.exceptions.Abort:
            sys.exit(_said("interrupted; finished work is kept", INTERRUPTED))
        except click.ClickException as error:
            error.show()
            sys.exit(error.exit_code)
        sys.exit(code if isinstance(code, int) else 0)


def _said(message: str, code: int) -> int:
    click.echo(f"Error: {message}", err=True)
    return code


def step_options(command: CommandFunction) -> CommandFunction:
    """Add the options of every command that writes a step directory: -o, --force, --plain, --json."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print events and counts as JSON lines."),
        click.option("--plain", is_flag=True, help="Plain progress lines instead of a bar."),
        click.option("--force", is_flag=True, help="Do it again even if a finished step stands there."),
        click.option(
            "-o", "--output", type=click.Path(path_type=Path), required=True, help="The step directory to write."
        ),
    ):
        command = option(command)
    return command


def progress_for(*, as_json: bool, plain: bool) -> Any:
    """Return the aside that shows progress in the way the options ask for."""
    from schemas.progress import Progress, choose_mode

    return Progress(mode=choose_mode(json=as_json, plain=plain))


def screen_for(*, as_json: bool, plain: bool) -> Any:
    """Return the aside that draws a screen on a terminal, and shows progress as others do elsewhere."""
    from curation.cli.screen import Screen
    from schemas.progress import choose_mode

    mode = choose_mode(json=as_json, plain=plain)
    return Screen() if mode == "bar" else progress_for(as_json=as_json, plain=plain)


def print_step(ran: Any, *, as_json: bool) -> None:
    """Print what a step came to: the counts, the reasons, and where it is."""
    from curation.cli.show import step_json, step_text

    click.echo(step_json(ran) if as_json else step_text(ran))


def echo_event(event: Mapping[str, Any], text: str, *, as_json: bool) -> None:
    """Print an outcome that is no step: a JSON line for programs, `text` for people."""
    import orjson

    click.echo(orjson.dumps(event).decode() if as_json else text)
