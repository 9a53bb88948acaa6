"""`dolly-data review`: people look at records; their decisions become a step."""

from pathlib import Path

import click

from curation.cli.base import STEP, DefaultGroup, LazyGroup, echo_event, print_step, progress_for, step_options

COMMANDS = {
    "serve": "curation.cli.review_serve:serve",
    "plan": "curation.cli.plan:plan",
    "sample": "curation.cli.review:sample",
    "status": "curation.cli.review_store:status",
    "search": "curation.cli.review_search:search",
    "conflicts": "curation.cli.review_conflicts:conflicts",
    "map": "curation.cli.review_search:map_",
    "decide": "curation.cli.review_store:decide",
    "undo": "curation.cli.review_store:undo",
    "verify": "curation.cli.review_store:verify",
    "agreement": "curation.cli.review_agreement:agreement",
    "canaries": "curation.cli.review_agreement:canaries",
    "export": "curation.cli.review_store:export",
    "import": "curation.cli.review_store:import_",
    "apply": "curation.cli.review:apply",
}
"""Command → where it is."""


class ReviewGroup(LazyGroup, DefaultGroup):
    """The commands of a review: `review DIR` is `review serve DIR`."""


review = ReviewGroup(
    default="serve",
    name="review",
    table=COMMANDS,
    subcommand_metavar="DIR | COMMAND [ARGS]...",
    help="""Let people look at records. `dolly-data review DIR` opens the screens for the step DIR.

    What is done on the screens can be done by commands too, and every command has --json.
    """,
)


@click.command()
@click.argument("directory", metavar="DIR", type=STEP)
@click.option("-n", default=20, show_default=True, type=click.IntRange(min=1), help="Records to draw.")
@click.option("--seed", default=1, show_default=True, help="The same seed draws the same records.")
@click.option("--rejected", is_flag=True, help="Draw from the rejected rows of all steps instead.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The file to write, one record a line.",
)
@click.option("--force", is_flag=True, help="Replace a file that may hold decisions.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as a JSON line.")
def sample(directory: Path, n: int, seed: int, rejected: bool, output: Path, force: bool, as_json: bool) -> None:
    """Draw a simple random sample of the step DIR into a file that a person edits.

    Set "decision" of each line to "accept", "reject" or "edit"; to edit, change instruction, context or response.
    "note" is for whoever asks why. Lines left at null are undecided. Then: dolly-data review apply DIR FILE -o OUT.
    """
    from curation.pipeline import open_input
    from curation.review.sample import Draw, sample_lines, write_sample

    draw = Draw(n=n, seed=seed, rejected=rejected)
    lines = sample_lines(open_input(directory), draw)
    write_sample(output, lines, force=force)
    of = lines[0]["drawn"]["of"] if lines else 0
    event = {"event": "sample", "path": str(output), "drawn": len(lines), "of": of, "fate": draw.fate, "seed": seed}
    echo_event(event, f"drew {len(lines):,} of {of:,} {draw.fate} rows\nwrote {output}", as_json=as_json)


@click.command()
@click.argument("directory", metavar="DIR", type=STEP)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@step_options
def apply(directory: Path, file: Path | None, output: Path, force: bool, plain: bool, as_json: bool) -> None:
    """Apply decisions to the records of the step DIR: those in FILE, or else those that were made on its screens.

    FILE is one that review sample wrote and a person edited, or one that review export wrote.
    Rejected records go to rejected.jsonl, edited ones carry the old text as a repair, all others stay as they are.
    """
    from curation.pipeline import run_stage
    from curation.review.counts import count_decisions
    from curation.review.exchange import export_beside
    from curation.review.stage import Review, stale_words

    file = file or export_beside(directory)
    stage = Review(decisions=str(file))
    ran = run_stage(stage, directory, output, force=force, aside=progress_for(as_json=as_json, plain=plain))
    rows = list(ran.step.rows("decisions"))
    for words in stale_words(rows, file, directory):
        click.echo(words, err=True)
    if not as_json:
        click.echo(count_decisions(rows).in_words())
    print_step(ran, as_json=as_json)
