"""dolly-train: a command parses, calls one library function, prints. Heavy packages are imported inside commands."""

from pathlib import Path
from typing import Any

import click

from schemas.errors import DollyError
from schemas.quiet import quiet_packages
from training.cli.chat import chat
from training.cli.compare import compare
from training.cli.export import export
from training.cli.fit import fit
from training.cli.inspect import inspect
from training.cli.presets import presets
from training.cli.prove import prove
from training.cli.respond import respond
from training.cli.votes import votes

COMMANDS = (fit, presets, respond, chat, compare, votes, prove, export, inspect)
"""In the order of their use."""
INTERRUPTED = 130
DEFAULT = "fit"
"""The command that is meant where none is named."""


class Failed(click.ClickException):
    """A DollyError on its way to the terminal."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # click declares it for the class and reads it here


class TrainGroup(click.Group):
    """A group with a default command, and the one place where an error becomes a message."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default command before arguments that do not name one."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            self._refuse_unknown(ctx, args[0])
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)

    def list_commands(self, _: click.Context) -> list[str]:
        """Return the commands in the order of their use."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run; a DollyError becomes `Error: …` on stderr and its own exit code."""
        quiet_packages()
        try:
            return super().invoke(ctx)
        except DollyError as error:
            raise Failed(str(error), error.exit_code) from error
        except KeyboardInterrupt as interrupt:
            raise Failed("interrupted; nothing half-written is left", INTERRUPTED) from interrupt

    def _refuse_unknown(self, ctx: click.Context, word: str) -> None:
        """Tell a mistyped command from a folder to train on."""
        if not word.startswith("-") and "/" not in word and not Path(word).exists():
            ctx.fail(f"no command and no folder {word!r}; the commands are {', '.join(self.commands)}")


@click.group(
    cls=TrainGroup,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
def main() -> None:
    """Tune a causal language model on exactly what was released.

    `dolly-train DIR --base MODEL -o OUT` trains (fit); DIR is a step directory or a release of dolly-data, or
    the address of one (s3://…).
    Where MODEL is asked for: a path, an alias of an embedded model (smollm2-135m), or a Hub id.
    """


for _command in COMMANDS:
    main.add_command(_command)
