"""`dolly-data review search`: the explore screen, for programs and for a terminal."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from curation.cli.base import STEP, CommandFunction, echo_event, progress_for

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
@click.argument("directory", metavar="DIR", type=STEP)
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


@click.command("map")
@click.argument("directory", metavar="DIR", type=STEP)
@click.option("--encoder", default="", help="Turns prompts into vectors; default: the one that dedupe used.")
@click.option("--seed", default=1, show_default=True, help="Starts the layout.")
@click.option("--plain", is_flag=True, help="Plain progress lines instead of a bar.")
@click.option("--json", "as_json", is_flag=True, help="Print events and topics as JSON lines.")
def map_(directory: Path, encoder: str, seed: int, plain: bool, as_json: bool) -> None:
    """Lay out the rows of the step DIR by topic, for the map on the screens, and say what is in each topic."""
    from dataclasses import asdict

    from curation.cli.review_show import topics_text
    from curation.pipeline import open_input
    from curation.review.mapping import make_map, topic_rows
    from curation.review.opening import open_desk
    from curation.review.queues import Seating

    aside = progress_for(as_json=as_json, plain=plain)
    desk = open_desk(open_input(directory), Seating(), aside)
    mapped = make_map(desk.chain, desk.rows, aside, encoder=encoder, seed=seed)
    topics = topic_rows(desk.rows)
    event = {"event": "map", "rows": mapped, "topics": [asdict(one) for one in topics]}
    echo_event(event, topics_text(topics), as_json=as_json)
