"""`dolly-train votes VOTES.json... KEY.json`."""

from pathlib import Path

import click


@click.command(short_help="Count the votes of a blind comparison.")
@click.argument("votes", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="VOTES.json...")
@click.argument("key", type=click.Path(path_type=Path), metavar="KEY.json")
@click.option("--json", "as_json", is_flag=True, help="Print the result as a JSON line.")
def votes(votes: tuple[Path, ...], key: Path, *, as_json: bool) -> None:
    """Say which model people preferred on the page that `compare --blind` wrote.

    VOTES.json are the files that voters exported, KEY.json stands beside the page. A tie is half a win; of several
    votes on a prompt the mean counts, so that intervals are over prompts.
    """
    from training.compare.votes import tally
    from training.show.compare import tally_json, tally_text

    found = tally(votes, key)
    click.echo(tally_json(found) if as_json else tally_text(found))
