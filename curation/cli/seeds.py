"""`dolly-data seeds`: the tasks that generation starts from."""

import sys
from pathlib import Path

import click

SEEDS = click.argument("file", type=click.Path(path_type=Path), required=False)


@click.group()
def seeds() -> None:
    """Look at and check seed tasks."""


@seeds.command()
@SEEDS
def check(file: Path | None) -> None:
    """Check a seed FILE (default: the tasks that ship): every pair whole, new, with its text, categories in balance.

    Prints a line for everything that is wrong, and then exits with 1.
    """
    from curation.generate.seeds import SHIPPED, check_seeds

    wrong = list(check_seeds(file or SHIPPED))
    for sentence in wrong:
        click.echo(sentence)
    if wrong:
        sys.exit(1)
    _show(file or SHIPPED, examples=False)


@seeds.command(name="list")
@SEEDS
def show(file: Path | None) -> None:
    """List the categories of a seed FILE (default: the tasks that ship), each with its number and an example."""
    from curation.generate.seeds import SHIPPED

    _show(file or SHIPPED, examples=True)


def _show(path: Path, *, examples: bool) -> None:
    from curation.generate.seeds import by_category, read_seeds
    from curation.visible import on_one_line

    found = by_category(read_seeds(path))
    click.echo(f"{sum(map(len, found.values()))} seed tasks")
    for category, tasks in sorted(found.items()):
        example = f"  {on_one_line(tasks[0].instruction)}" if examples else ""
        click.echo(f"  {category or '(no category)':24} {len(tasks):>4}{example}")
