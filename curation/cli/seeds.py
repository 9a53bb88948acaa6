"""`dolly-data seeds`: the tasks that generation starts from."""

import sys
from pathlib import Path
from typing import Any

import click

SEEDS = click.argument("file", type=click.Path(path_type=Path), required=False)


@click.group()
def seeds() -> None:
    """Check and list seed tasks."""


@seeds.command()
@SEEDS
def check(file: Path | None) -> None:
    """Check a seed FILE (default: the tasks that ship).

    Every row must be a whole record that the filters would keep, with a name and content of its own, unlike the others,
    in one language; the categories must be in balance. Prints place, field, what was expected and what was found, and
    exits with 1, where something is wrong; else the number of each category.
    """
    from curation.generate.seeds import SHIPPED, check_seeds
    from curation.visible import on_one_line

    found, faults = check_seeds(file or SHIPPED)
    for fault in faults:
        click.echo(on_one_line(str(fault)))
    if faults:
        sys.exit(1)
    _show(found, examples=False)


@seeds.command(name="list")
@SEEDS
def list_(file: Path | None) -> None:
    """List the categories of a seed FILE (default: the tasks that ship), with their number and one example."""
    from curation.generate.seeds import SHIPPED, read_seeds

    _show(read_seeds(file or SHIPPED), examples=True)


def _show(found: list[Any], *, examples: bool) -> None:
    from curation.generate.seeds import seeds_by_category
    from curation.visible import on_one_line

    click.echo(f"{len(found):,} seed tasks")
    for category, tasks in seeds_by_category(found).items():
        example = f"  {on_one_line(tasks[0].instruction)}" if examples else ""
        click.echo(f"  {category or '(no category)':24}{len(tasks):>4}{example}")
