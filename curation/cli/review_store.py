"""`dolly-data review status|decide|undo|verify|export|import`: what the screens do, for programs and for a terminal."""

from pathlib import Path
from typing import Any

import click

from curation.cli.base import STEP, echo_event
from curation.cli.review_search import limiting

DIRECTORY = click.argument("directory", metavar="DIR", type=STEP)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print the outcome as a JSON line.")
REVIEWER = click.option("--reviewer", default="me", show_default=True, help="Whose decisions.")


@click.command()
@DIRECTORY
@REVIEWER
@click.option("--since", type=STEP, help="A release: what changed since, and only that.")
@AS_JSON
def status(directory: Path, reviewer: str, since: Path | None, as_json: bool) -> None:
    """Say where the review of the step DIR stands: each queue, and what was decided."""
    from dataclasses import asdict

    from curation.cli.review_show import since_text, standing_text
    from curation.pipeline import open_input
    from curation.review.opening import open_desk
    from curation.review.queues import Seating
    from curation.review.since import read_since
    from curation.review.standing import standing

    step = open_input(directory)
    against = read_since(since, step)
    found = standing(open_desk(step, Seating(reviewer=reviewer, since=against)))
    event: dict[str, Any] = {"event": "status", "reviewer": reviewer, "queues": [asdict(one) for one in found]}
    if since is not None:
        event["since"] = {
            "changed": {name: one.id for name, one in against.changed.items()},
            "came": against.came,
            "left": [one.id for one in against.left],
        }
    echo_event(event, "\n".join(filter(None, (since_text(against), standing_text(found)))), as_json=as_json)


@click.command()
@DIRECTORY
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--as", "action", type=click.Choice(["accept", "reject", "flag", "skip"]), required=True)
@click.option("--reason", "reasons", multiple=True, help="What is wrong; can be given several times.")
@click.option("--note", default="", help="For whoever asks why.")
@click.option("--words", default="", help="Decide about all kept records that a search for these words finds.")
@limiting
@click.option("--expect", type=click.IntRange(min=0), help="Refuse unless a search finds exactly so many.")
@REVIEWER
@AS_JSON
def decide(
    directory: Path,
    ids: tuple[str, ...],
    action: str,
    reasons: tuple[str, ...],
    note: str,
    words: str,
    expect: int | None,
    reviewer: str,
    as_json: bool,
    **limits: str,
) -> None:
    """Decide about rows of the step DIR, those named or all that a search finds, in one stroke.

    One undo takes all of it back.

    See first what a search finds: dolly-data review search. Then say here how many are expected.
    """
    from curation.pipeline import open_input
    from curation.review.desk import Act
    from curation.review.opening import open_desk
    from curation.review.queues import Seating
    from curation.review.search import Wanted, chosen

    desk = open_desk(open_input(directory), Seating(reviewer=reviewer))
    items = chosen(desk.rows, ids, Wanted(words=words, **limits), expect)
    batch = desk.decide_all(items, Act(action=action, reasons=reasons, note=note))  # type: ignore[arg-type]  # one of the choices
    event = {"event": "decided", "action": action, "rows": len(items), "batch": batch}
    echo_event(event, f"{action}: {len(items):,} rows", as_json=as_json)


@click.command()
@DIRECTORY
@REVIEWER
@AS_JSON
def undo(directory: Path, reviewer: str, as_json: bool) -> None:
    """Take back the last decision of a reviewer; if it was about many rows, all of it."""
    from curation.pipeline import open_input
    from curation.review.opening import open_desk
    from curation.review.queues import Seating

    undone = open_desk(open_input(directory), Seating(reviewer=reviewer)).undo()
    event = {"event": "undone", "action": undone.action if undone else None, "row": undone.row_id if undone else None}
    words = f"took back: {undone.action} of {undone.row_id}" if undone else "there is nothing to take back"
    echo_event(event, words, as_json=as_json)


@click.command()
@DIRECTORY
@click.option("--head", default="", help="A hash that was printed before: nothing up to it was cut off either.")
@AS_JSON
def verify(directory: Path, head: str, as_json: bool) -> None:
    """Check that no decision about the step DIR was changed, lost or put in since it was made."""
    from curation.review.exchange import verify as verify_store
    from schemas.errors import InputError

    events, last, damage = verify_store(directory, head)
    if damage:
        raise InputError(place=directory, expected="every event as it was written", found="; ".join(damage))
    event = {"event": "verified", "events": events, "head": last}
    echo_event(event, f"{events:,} events, all as they were written; the last one's hash is {last}", as_json=as_json)


@click.command()
@DIRECTORY
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file to write."
)
@AS_JSON
def export(directory: Path, output: Path, as_json: bool) -> None:
    """Write every decision about the step DIR to a file, sorted: equal decisions are equal bytes."""
    from curation.review.exchange import export_to

    events = export_to(directory, output)
    event = {"event": "exported", "events": events, "path": str(output)}
    echo_event(event, f"{events:,} events\nwrote {output}", as_json=as_json)


@click.command("import")
@DIRECTORY
@click.argument("file", type=click.Path(path_type=Path))
@AS_JSON
def import_(directory: Path, file: Path, as_json: bool) -> None:
    """Add another reviewer's exported FILE to the review of the step DIR; what is there already stays as it is."""
    from curation.review.exchange import import_from

    new, read = import_from(directory, file)
    echo_event({"event": "imported", "new": new, "read": read}, f"{new:,} of {read:,} events were new", as_json=as_json)
