"""`dolly-data review DIR`: the screens on which people look at records."""

from pathlib import Path

import click

from curation.cli.base import STEP, echo_event, progress_for


@click.command()
@click.argument("directory", metavar="DIR", type=STEP)
@click.option("--reviewer", default="me", show_default=True, help="The name your decisions are signed with.")
@click.option("--second", type=int, default=0, help="Decide again about so many that others decided about, blind.")
@click.option("--since", type=STEP, help="A release: look only at what is not in it.")
@click.option("--hunt", type=click.Path(path_type=Path), help="Hunt in this order: hunt.jsonl of dolly-train inspect.")
@click.option("-n", default=386, show_default=True, help="Records to measure, where no plan was fixed.")
@click.option("--seed", default=1, show_default=True, help="Draws them, where no plan was fixed.")
@click.option("--guidelines", type=click.Path(path_type=Path, dir_okay=False), help="Your own rules, plain text.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Another one is reached by others: needs --token.")
@click.option("--port", default=0, show_default=True, help="0: one that is free.")
@click.option("--token", default="", help="What opens the screens; by default one is made that works once.")
@click.option("--browser/--no-browser", default=True, show_default=True, help="Open the browser.")
@click.option("--json", "as_json", is_flag=True, help="Print the address as a JSON line.")
@click.option("--plain", is_flag=True, help="Plain progress lines instead of a bar.")
def serve(
    directory: Path,
    reviewer: str,
    second: int,
    since: Path | None,
    hunt: Path | None,
    n: int,
    seed: int,
    guidelines: Path | None,
    host: str,
    port: int,
    token: str,
    browser: bool,
    as_json: bool,
    plain: bool,
) -> None:
    """Look at the records of the step DIR in a browser, and decide about them by keys.

    Every decision is on disk before the next record shows, in DIR.review. Then: dolly-data review apply DIR -o OUT.
    """
    from curation.pipeline import open_input
    from curation.review.opening import open_desk
    from curation.review.queues import Seating
    from curation.review.since import read_since
    from curation.review.web.serve import Address, read_guidelines
    from curation.review.web.serve import serve as serve_screens
    from schemas.hunt import read_hunt

    address = Address(host=host, port=port, token=token)
    rules = read_guidelines(guidelines)
    step = open_input(directory)
    named = read_hunt(hunt) if hunt else ()
    seating = Seating(reviewer=reviewer, second=second, since=read_since(since, step), hunt=named, n=n, seed=seed)
    desk = open_desk(step, seating, progress_for(as_json=as_json, plain=plain))
    if named:
        here = len(desk.queue("hunt"))
        event = {"event": "hunt", "named": len(named), "here": here}
        echo_event(event, f"{here:,} of the {len(named):,} records of the hunt are to be looked at", as_json=as_json)

    def told(url: str) -> None:
        echo_event({"event": "serving", "url": url}, f"review {directory} at {url}\nCtrl-C stops it.", as_json=as_json)

    serve_screens(desk, address, told, guidelines=rules, browser=browser)
