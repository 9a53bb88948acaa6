"""`dolly-data review agreement|canaries`: how far reviewers can be relied on."""

from pathlib import Path

import click

from curation.cli.base import STEP, echo_event

DIRECTORY = click.argument("directory", metavar="DIR", type=STEP)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print the outcome as a JSON line.")


@click.command()
@DIRECTORY
@AS_JSON
def agreement(directory: Path, as_json: bool) -> None:
    """Say how far reviewers of the step DIR agree on what two of them decided about, and how sharp they are."""
    from dataclasses import asdict

    from curation.cli.review_show import agreed_text
    from curation.review.agreement import agreed
    from curation.review.board import Board
    from curation.review.exchange import open_store

    with open_store(directory) as store:
        found = agreed(Board.of(store.events()))
    echo_event({"event": "agreement", **asdict(found)}, agreed_text(found), as_json=as_json)


@click.command()
@DIRECTORY
@click.option("-n", default=8, show_default=True, type=click.IntRange(1, 100), help="Spoilt records in all.")
@click.option("--seed", default=1, show_default=True, help="Chooses the records that are spoilt.")
@AS_JSON
def canaries(directory: Path, n: int, seed: int, as_json: bool) -> None:
    """Put records that are spoilt on purpose among those that are measured, to learn how much a reviewer sees.

    They are made of records of the step DIR, stand only in its review, and are never applied, counted or released.
    """
    from curation.pipeline import open_input
    from curation.review.canaries import CANARIES, plant
    from curation.review.opening import open_desk
    from curation.review.queues import Seating

    desk = open_desk(open_input(directory), Seating(reviewer="canaries", seed=seed))
    desk.draw(CANARIES, plant(desk.rows, desk.board, n, seed), seed)
    total = len(desk.board.drawn(CANARIES))
    echo_event(
        {"event": "canaries", "planted": total}, f"{total:,} spoilt records are among the drawn", as_json=as_json
    )
