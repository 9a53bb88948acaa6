"""`dolly-data report`: one page about a step and all that led to it."""

from pathlib import Path

import click

from curation.cli.base import STEP, echo_event
from curation.cli.evidence import evidence_options
from curation.cli.new_file import NEW_FILE


@click.command()
@click.argument("directory", metavar="DIR", type=STEP)
@click.option(
    "-o",
    "--output",
    type=NEW_FILE,
    default=Path("report.html"),
    show_default=True,
    help="The page to write, or its address; its numbers go into a .json file beside it.",
)
@click.option("--title", default="", help="What stands over the page; default: the step's name.")
@click.option("--seed", default=1, show_default=True, help="Draws the examples.")
@click.option("--per-reason", default=3, show_default=True, help="Rejected rows shown for each reason.")
@click.option("--kept", default=5, show_default=True, help="Kept records shown.")
@click.option(
    "--calibration",
    type=click.Path(dir_okay=False),
    default="",
    help="What calibrate apply -o wrote: says how often dedupe was right.",
)
@evidence_options
@click.option("--interactive", is_flag=True, help="Charts to look around in: 1.1 MB more, and still nothing is loaded.")
@click.option(
    "--map-encoder", default="minilm", show_default=True, help="Draws the map of --interactive; hashing is quick."
)
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as a JSON line.")
def report(
    directory: Path,
    output: Path,
    title: str,
    *,
    seed: int,
    per_reason: int,
    kept: int,
    calibration: str,
    plan: str,
    decisions: str,
    second: str,
    interactive: bool,
    map_encoder: str,
    as_json: bool,
) -> None:
    """Show on one page what came in on the way to the step DIR, what was kept, what was rejected and why.

    The page loads nothing and runs nothing (with --interactive, only what is within it); it can be mailed.
    """
    from curation.pipeline import open_input
    from curation.report.collect import Look
    from curation.report.write import write_report
    from curation.review.planning import AcceptanceFiles

    look = Look(
        seed=seed,
        per_reason=per_reason,
        kept=kept,
        calibration=calibration,
        map=interactive,
        map_encoder=map_encoder,
    )
    evidence = AcceptanceFiles(plan=plan, decisions=decisions, second=second)
    found = write_report(open_input(directory), output, look, title, interactive=interactive, evidence=evidence)
    event = {"event": "report", "path": str(output), "rows": found.rows, "kept": found.kept, "rejected": found.rejected}
    steps = "1 step" if len(found.steps) == 1 else f"{len(found.steps)} steps"
    text = f"{found.rows:,} rows, {found.kept:,} kept, {found.rejected:,} rejected in {steps}"
    echo_event(event, f"{text}\nwrote {output}", as_json=as_json)
