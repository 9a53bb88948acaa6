"""The options that say where a plan stands and what people decided about its records."""

from typing import Any

import click

FILE = click.Path(dir_okay=False)
EVIDENCE = (
    click.option("--plan", type=FILE, default="", help="The acceptance plan; default: the one beside DIR."),
    click.option(
        "--decisions", type=FILE, default="", help="What people decided; default: what stands beside the plan."
    ),
    click.option("--second", type=FILE, default="", help="What a second reviewer decided, blind to the first."),
)


def evidence_options(command: Any) -> Any:
    """Add the options that say where the review's evidence is."""
    for option in reversed(EVIDENCE):
        command = option(command)
    return command
