"""Options that say on how many devices a run is computed."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from training.ranks.distributed import Ranks
    from training.ranks.launch import Machines

MACHINES = (
    click.option(
        "--devices",
        type=click.IntRange(min=0),
        default=0,
        help="Processes on this machine, a device each.  [default: its accelerators, or 1]",
    ),
    click.option("--nnodes", type=click.IntRange(min=1), default=1, show_default=True, help="Machines."),
    click.option(
        "--node-rank", type=click.IntRange(min=0), default=0, show_default=True, help="Which of them this is, from 0."
    ),
    click.option("--rdzv", default="", metavar="HOST:PORT", help="Where machine 0 is reached by the others."),
)
MINE = ("devices", "nnodes", "node_rank", "rdzv")


def take_machines(settings: dict[str, Any]) -> "Machines":
    """Take these options out of a command's."""
    from training.ranks.launch import Machines

    return Machines(**{name: settings.pop(name) for name in MINE})


@contextmanager
def together(machines: "Machines") -> "Iterator[Ranks | None]":
    """Take part as a rank; None where ranks were started for this command, and have ended."""
    from training.ranks.distributed import is_rank, joined
    from training.ranks.launch import SaidError, launch

    if machines.total > 1 and not is_rank():
        try:
            launch(machines, sys.argv[1:])
        except SaidError as said:
            sys.exit(said.exit_code)
        yield None
        return
    with joined() as ranks:
        yield ranks
