"""`dolly-data review conflicts`: questions that are answered differently, and which answer is kept."""

from pathlib import Path

import click

from curation.cli.base import echo_event
from curation.cli.review_store import AS_JSON, DIRECTORY, REVIEWER


@click.command()
@DIRECTORY
@click.option("--keep", metavar="ID", default="", help="Keep this record's answer, reject the others.")
@click.option("-n", default=10, show_default=True, type=click.IntRange(min=0), help="Conflicts to show.")
@REVIEWER
@AS_JSON
def conflicts(directory: Path, keep: str, n: int, reviewer: str, as_json: bool) -> None:
    """Show the questions that kept records of the step DIR answer differently, as dolly-data survey found them.

    With --keep, one answer is accepted and the others are rejected, in one stroke, which one undo takes back.
    """
    from dataclasses import asdict

    from curation.cli.review_show import conflicts_text
    from curation.pipeline import open_input
    from curation.review.conflicts import keep_named, open_conflicts
    from curation.review.opening import open_desk
    from curation.review.queues import Seating

    desk = open_desk(open_input(directory), Seating(reviewer=reviewer))
    if keep:
        event = {"event": "decided", "kept": keep, "batch": keep_named(desk, keep)}
        echo_event(event, f"kept {keep}, rejected what answers otherwise", as_json=as_json)
        return
    found = list(open_conflicts(desk.rows))
    shown = [asdict(one) for one in found[:n]]
    echo_event(
        {"event": "conflicts", "total": len(found), "conflicts": shown}, conflicts_text(found, n), as_json=as_json
    )
