"""`dolly-data diff`: what became of records between two steps or releases."""

from pathlib import Path

import click

from curation.cli.base import STEP, echo_event


@click.command()
@click.argument("first", metavar="A", type=STEP)
@click.argument("second", metavar="B", type=STEP)
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as a JSON line, every id included.")
def diff(first: Path, second: Path, as_json: bool) -> None:
    """Say which records were added, removed or edited from A to B, each a step directory or a release.

    And what that makes of the version: major where any was edited or removed, minor where some were only added, patch
    where all stayed.
    """
    from dataclasses import asdict

    from curation.reasons import describe
    from curation.release.diff import compare

    found = compare(first, second)
    counts = f"{len(found.added):,} added, {len(found.removed):,} removed, {len(found.edited):,} edited"
    lines = [f"{counts}, {found.unchanged:,} unchanged: a {found.bump} change"]
    lines += [f"  removed  {code:26} {number:>7,}  {describe(code)}" for code, number in found.reasons.items()]
    echo_event({"event": "diff", "bump": found.bump, **asdict(found)}, "\n".join(lines), as_json=as_json)
