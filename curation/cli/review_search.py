"""`dolly-data review search`: the explore screen, for programs and for a terminal."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from curation.cli.base import CommandFunction, echo_event

LIMITS = {
    "fate": "kept or rejected.",
    "code": "A reason, flag or repair, such as duplicate_near.",
    "category": "The category.",
    "length": "A band of words, such as '20 to 50'.",
    "alike": "A band of the cosine to the nearest record, such as '0.9 to 0.95'.",
    "language": "The language, such as en.",
    "source": "The file.",
    "model": "The model that wrote it.",
    "topic": "The number of a topic; see review map.",
}
"""Option → what it limits the search to."""


def limiting(command: CommandFunction) -> CommandFunction:
    """Add the options that limit a search."""
    for name, words in reversed(LIMITS.items()):
        option: Callable[[CommandFunction], CommandFunction] = click.option(f"--{name}", default="", help=words)
        command = option(command)
    return command


@click.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("words", default="")
@limiting
@click.option("-n", default=10, show_default=True, type=click.IntRange(min=0), help="Rows to show.")
@click.option("--page", default=1, show_default=True, type=click.IntRange(min=1), help="Which so many of them.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as a JSON line.")
def search(directory: Path, words: str, n: int, page: int, as_json: bool, **limits: str) -> None:
    """Find records of the step DIR, and rows rejected on the way to it, by WORDS and by what is known of them."""
    from curation.cli.review_show import found_json, found_text
    from curation.pipeline import open_input
    from curation.review.opening import open_desk
    from curation.review.queues import Seating
    from curation.review.search import Wanted
    from curation.review.search import search as search_rows

    rows = open_desk(open_input(directory), Seating()).rows
    found = search_rows(rows, Wanted(words=words, **limits), page, n)
    items = [rows.at(pos) for pos in found.page]
    event: dict[str, Any] = found_json(found, items)
    echo_event(event, found_text(found, items), as_json=as_json)
