"""`dolly-data seeds`: the tasks that generation starts from."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from curation.cli.base import echo_event
from curation.cli.seed_drafts import approve, suggest

SEEDS = click.argument("file", type=click.Path(path_type=Path), required=False)


@click.group()
def seeds() -> None:
    """Check and list seed tasks, draw them from data, have a model draft them."""


seeds.add_command(suggest)
seeds.add_command(approve)


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


@seeds.command(name="from")
@click.argument("source")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="File to write.")
@click.option("-n", "--n", "n", default=160, show_default=True, help="Seeds to draw.")
@click.option("--seed", default=1, show_default=True, help="Decides which rows are drawn.")
@click.option("--category", default="", help="Given to rows that name no category.")
@click.option("--force", is_flag=True, help="Write over a file that stands there.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as a JSON line.")
def from_(source: str, output: Path, n: int, seed: int, category: str, *, force: bool, as_json: bool) -> None:
    """Draw seeds from SOURCE (a file, a folder, a Hub id), as many of each category as can be.

    Reads what validate reads. Rows that the filters would reject or repair, and those that resemble one drawn before,
    are passed over. Then prints what seeds check finds in the file, and exits with 1 where that is something.
    """
    from curation.generate.seed_import import SeedDraw, write_seeds
    from curation.generate.seeds import check_seeds

    drawn = SeedDraw(source=source, n=n, seed=seed, category=category)()
    write_seeds(drawn.seeds, output, force=force)
    found, faults = check_seeds(output)
    passed = dict(drawn.passed.most_common())
    event = {"event": "seeds", "path": str(output), "n": len(found), "passed": passed, "faults": list(map(str, faults))}
    echo_event(event, _drawn_text(output, passed, faults), as_json=as_json)
    if not as_json:
        _show(found, examples=False)
    if faults:
        sys.exit(1)


def _drawn_text(output: Path, passed: Mapping[str, int], faults: Sequence[Any]) -> str:
    from curation.visible import on_one_line

    over = ", ".join(f"{number:,} {code}" for code, number in passed.items())
    lines = [on_one_line(str(fault)) for fault in faults]
    return "\n".join([*lines, f"passed over: {over or 'nothing'}", f"wrote {output}"])


def _show(found: list[Any], *, examples: bool) -> None:
    from curation.generate.seeds import seeds_by_category
    from curation.visible import on_one_line

    click.echo(f"{len(found):,} seed tasks")
    for category, tasks in seeds_by_category(found).items():
        example = f"  {on_one_line(tasks[0].instruction)}" if examples else ""
        click.echo(f"  {on_one_line(category) or '(no category)':24}{len(tasks):>4}{example}")
