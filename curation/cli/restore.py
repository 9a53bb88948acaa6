"""`dolly-data restore`: rejected rows are put back."""

from collections import Counter
from pathlib import Path

import click

from curation.cli.base import STEP, print_step, progress_for, step_options


@click.command()
@click.argument("directory", metavar="DIR", type=STEP)
@click.option("--reason", "reasons", multiple=True, metavar="CODE", help="Rows rejected for this; may be repeated.")
@click.option(
    "--id", "ids", multiple=True, metavar="ID", help="The row with this id, or a beginning of it; repeatable."
)
@click.option("--chain", is_flag=True, help="Rows that earlier steps rejected, too.")
@click.option("--by", default="", help="Who puts them back.")
@click.option("--note", default="", help="Why; it stays with the record.")
@step_options
def restore(
    directory: Path,
    reasons: tuple[str, ...],
    ids: tuple[str, ...],
    chain: bool,
    by: str,
    note: str,
    output: Path,
    force: bool,
    plain: bool,
    as_json: bool,
) -> None:
    """Write a step with the kept records of the step DIR and, after them, those of its rejected rows that you name.

    With --reason and --id, rows must meet both. A row comes back as it was when it was rejected: repairs and checks of
    later steps have not seen it. Steps that follow may reject it again.
    """
    from curation.pipeline import run_source
    from curation.restore.source import RESTORED, Restore

    work = Restore(step=str(directory), reasons=reasons, ids=ids, chain=chain, by=by, note=note)
    ran = run_source(work, output, force=force, aside=progress_for(as_json=as_json, plain=plain))
    steps = Counter(str(row["step"]) for row in ran.step.rows(RESTORED))
    places = ", ".join(f"{number:,} rejected by {step}" for step, number in steps.items())
    click.echo(
        f"put back {steps.total():,} {'row' if steps.total() == 1 else 'rows'}{f': {places}' if places else ''}",
        err=as_json,
    )
    print_step(ran, as_json=as_json)
