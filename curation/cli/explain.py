"""`dolly-data explain`: what happened to one record."""

from pathlib import Path

import click


@click.command()
@click.argument("wanted", metavar="ID")
@click.argument("runs", default=".")
@click.option("--json", "as_json", is_flag=True, help="Print the story as one JSON object.")
def explain(wanted: str, runs: str, as_json: bool) -> None:
    """Tell what every step under the folder or address RUNS (default: here) made of one record.

    ID is a record's id, the start of one, or FILE:LINE for the row that stood there. From an address everything is
    fetched but the weights of models.
    """
    from curation.cli.story import story_json, story_text
    from curation.explain import explain as story_of
    from schemas.address import is_address
    from schemas.mirror import fetch_steps

    story = story_of(wanted, *(fetch_steps(runs) if is_address(runs) else [Path(runs)]))
    click.echo(story_json(story) if as_json else story_text(story))
