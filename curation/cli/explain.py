"""`dolly-data explain`: what happened to one record."""

from pathlib import Path

import click


@click.command()
@click.argument("wanted", metavar="ID")
@click.argument("runs", type=click.Path(path_type=Path), default=Path())
@click.option("--json", "as_json", is_flag=True, help="Print the story as one JSON object.")
def explain(wanted: str, runs: Path, as_json: bool) -> None:
    """Tell what every step under the folder RUNS (default: here) made of one record.

    ID is a record's id, the start of one, or FILE:LINE for the row that stood there.
    """
    from curation.cli.story import story_json, story_text
    from curation.explain import explain as story_of

    story = story_of(wanted, runs)
    click.echo(story_json(story) if as_json else story_text(story))
