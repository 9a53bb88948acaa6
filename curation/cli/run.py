"""`dolly-data run`: walk a recipe."""

from pathlib import Path
from typing import Any

import click

from curation.cli.base import engine_options, progress_for


@click.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="The folder for the recipe's steps."
)
@click.option("--force", is_flag=True, help="Do every step again, even if it is finished.")
@click.option("--plain", is_flag=True, help="Plain progress lines instead of a bar.")
@click.option("--json", "as_json", is_flag=True, help="Print events and counts as JSON lines.")
@engine_options
def run(recipe: Path, output: Path, force: bool, plain: bool, as_json: bool, engine: Any) -> None:
    """Walk RECIPE, a YAML file that names stages and their settings, from its source to its end.

    Finished steps are reused: run it again after a change, an error or an interrupt, and only what has to be done is
    done.
    """
    from curation.cli.show import done_json, done_text, walked_text
    from curation.recipes import walk_recipe
    from schemas.recipe import read_recipe

    show = done_json if as_json else done_text
    walked = []
    aside = progress_for(as_json=as_json, plain=plain)
    for done in walk_recipe(read_recipe(recipe), output, aside=aside, force=force, engine=engine):
        click.echo(show(done))
        walked.append(done)
    if not as_json:
        click.echo(walked_text(walked))
