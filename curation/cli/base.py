"""What every command shares: the table they are found in, the options they have in common, how a step is printed."""

import functools
import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from schemas.errors import DollyError
from schemas.quiet import quiet_packages

INTERRUPTED = 130

CommandFunction = TypeVar("CommandFunction", bound=Callable[..., Any])


class LazyGroup(click.Group):
    """A group whose commands are imported when they are needed."""

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


class CommandTable(LazyGroup):
    """The whole program, and the one place where an error becomes a message."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run; a DollyError becomes `Error: …` on stderr and its own exit code."""
        quiet_packages()
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


class DefaultGroup(click.Group):
    """A group one of whose commands is meant where none is named."""

    def __init__(self, *, default: str, **settings: Any) -> None:
        settings.setdefault("no_args_is_help", True)
        super().__init__(**settings)
        self._default = default

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default command before arguments that do not name one."""
        if args and args[0] not in self.list_commands(ctx) and args[0] not in ctx.help_option_names:
            args = [self._default, *args]
        return super().parse_args(ctx, args)

    def list_commands(self, _: click.Context) -> list[str]:
        """Return the commands in the order of their use."""
        return list(self.commands)


class Rate(click.ParamType[float]):
    """A share as people write it: `2%` or `0.02`."""

    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the share, 0 to 1."""
        if isinstance(value, float):
            return value
        text = str(value).strip()
        try:
            return float(text.removesuffix("%").strip()) / 100 if text.endswith("%") else float(text)
        except ValueError:
            self.fail(f"expected a share such as 2% or 0.02, found {value!r}", param, ctx)


class StepPath(click.Path):
    """A step to read: its folder, or its address, which is fetched."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the folder, on this machine."""
        from schemas.address import is_address

        if is_address(str(value)):
            from schemas.mirror import fetch_step

            return fetch_step(str(value))
        return super().convert(value, param, ctx)


class NewStep(click.Path):
    """A step to write: its folder, or its address, where it is put when the command has ended well."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the folder, on this machine; what stands at the address is fetched, to be reused."""
        from schemas.address import is_address

        if ctx and is_address(str(value)):
            from schemas.mirror import find_step, mirror_of

            find_step(str(value), to_write=True)
            ctx.call_on_close(lambda: _put(str(value)))
            return mirror_of(str(value))
        return super().convert(value, param, ctx)


def _put(address: str) -> None:
    from schemas.mirror import put_step

    if put_step(address):
        click.echo(f"put at {address}", err=True)


STEP = StepPath(path_type=Path)
NEW_STEP = NewStep(path_type=Path)


def step_options(command: CommandFunction) -> CommandFunction:
    """Add the options of every command that writes a step directory: -o, --force, --plain, --json."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print events and counts as JSON lines."),
        click.option("--plain", is_flag=True, help="Plain progress lines instead of a bar."),
        click.option("--force", is_flag=True, help="Do it again even if a finished step stands there."),
        click.option(
            "-o", "--output", type=NEW_STEP, required=True, help="The step directory to write, or its address."
        ),
    ):
        command = option(command)
    return command


def stage_options(command: CommandFunction) -> CommandFunction:
    """Add the options of a command that runs a stage: those of a step, and --dry-run, which needs no -o."""
    command = click.option("--dry-run", is_flag=True, help="Say what would be done, with examples; write nothing.")(
        step_options(command)
    )
    output = next(one for one in command.__click_params__ if one.name == "output")  # type: ignore[attr-defined]  # click
    output.required = False
    output.help = f"{output.help}  [required without --dry-run]"
    return command


def engine_options(command: CommandFunction, *, workers: str = "one a processor") -> CommandFunction:
    """Add --engine, --workers, --ray-address and --shard-rows, which the command gets as one `engine`.

    `workers` says how many there are where no number is given.
    """
    parts = "Cut the files into parts of so many rows.  [default: not cut]"
    return worker_options(command, click.option("--shard-rows", default=0, help=parts), workers=workers)


def worker_options(command: CommandFunction, *more: Any, workers: str) -> CommandFunction:
    """Add --engine, --workers and --ray-address alone, for what writes files that are not cut."""

    @functools.wraps(command)
    def with_engine(
        *words: Any, engine: Any, workers: int, ray_address: str, shard_rows: int = 0, **settings: Any
    ) -> Any:
        from curation.engine import Engine

        where = Engine(kind=engine, workers=workers, address=ray_address, shard=shard_rows)
        return command(*words, engine=where, **settings)

    for option in (
        *more,
        click.option("--ray-address", default="", help="A running Ray cluster: auto, or ray://HOST:10001."),
        click.option("--workers", default=0, help=f"Workers at a time.  [default: {workers}]"),
        click.option(
            "--engine",
            type=click.Choice(["local", "ray"]),
            default="local",
            show_default=True,
            help="Where the work is done: processes of this machine, or Ray; the outcome is the same.",
        ),
    ):
        with_engine = option(with_engine)
    return with_engine  # type: ignore[return-value]  # the command, with other options


def run_and_print(
    stage: Any,
    directory: Path,
    *,
    output: Path | None,
    force: bool,
    dry_run: bool,
    plain: bool,
    as_json: bool,
    engine: Any = None,
) -> None:
    """Run a stage over the step `directory` into `output`, or only say what it would do, and print what it came to."""
    from curation.cli.show import rehearsal_json, rehearsal_text
    from curation.engine import HERE
    from curation.pipeline import rehearse, run_stage

    aside = progress_for(as_json=as_json, plain=plain)
    if dry_run:
        found = rehearse(stage, directory, aside=aside)
        click.echo(rehearsal_json(found) if as_json else rehearsal_text(found))
    else:
        ran = run_stage(stage, directory, needed(output), force=force, aside=aside, engine=engine or HERE)
        print_step(ran, as_json=as_json)


def needed(output: Path | None) -> Path:
    """Return where to write; a run that is not a rehearsal must say it."""
    if output is None:
        raise click.UsageError("Missing option '-o' / '--output' (or --dry-run, which writes nothing).")
    return output


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
