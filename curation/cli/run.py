"""`dolly-data run`: walk a recipe."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from curation.cli.base import engine_options, progress_for


@click.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", metavar="PATH", required=True, help="The folder for the recipe's steps, or its address."
)
@click.option("--force", is_flag=True, help="Do every step again, even if it is finished.")
@click.option("--plain", is_flag=True, help="Plain progress lines instead of a bar.")
@click.option("--json", "as_json", is_flag=True, help="Print events and counts as JSON lines.")
@partial(engine_options, workers="what each step's own command has")
def run(recipe: Path, output: str, force: bool, plain: bool, as_json: bool, engine: Any) -> None:
    """Walk RECIPE, a YAML file that names stages and their settings, from its source to its end.

    Finished steps are reused: run it again after a change, an error or an interrupt, and only what has to be done is
    done. At an address each step is put as it is finished; another machine goes on from there.
    """
    from curation.cli.show import done_json, done_text, walked_text
    from curation.run_folder import walk
    from schemas.recipe import read_recipe

    show = done_json if as_json else done_text
    walked = []
    aside = progress_for(as_json=as_json, plain=plain)
    for done in walk(read_recipe(recipe), output, aside=aside, force=force, engine=engine, put=_say_put):
        click.echo(show(done))
        walked.append(done)
    if not as_json:
        click.echo(walked_text(walked))


def _say_put(address: str) -> None:
    click.echo(f"put at {address}", err=True)
