"""`dolly-data survey`: what only shows in the whole set is flagged and said."""

from collections.abc import Iterable
from pathlib import Path

import click

from curation.cli.base import STEP, needed, print_step, progress_for, run_and_print, stage_options
from schemas.record import Row


@click.command()
@click.argument("directory", metavar="DIR", type=STEP)
@click.option(
    "--flag-variations", is_flag=True, help="Flag also different answers that may all be right, as to write a story."
)
@stage_options
def survey(
    directory: Path,
    flag_variations: bool,
    output: Path | None,
    force: bool,
    dry_run: bool,
    plain: bool,
    as_json: bool,
) -> None:
    """Look at all records of the step DIR together, flag those that contradict each other, and write a step directory.

    Questions with more than one answer stand in conflicts.jsonl, for people to decide. Strings that should occur and
    never do, the trace of a stop string that cut the answers, are printed and stand in missing_strings.jsonl. Nothing
    is rejected.
    """
    from curation.filters.survey import CONFLICTS, MISSING, Survey
    from curation.pipeline import run_stage

    stage = Survey(flag_variations=flag_variations)
    if dry_run:
        run_and_print(stage, directory, output=output, force=force, dry_run=True, plain=plain, as_json=as_json)
        return
    aside = progress_for(as_json=as_json, plain=plain)
    ran = run_stage(stage, directory, needed(output), force=force, aside=aside)
    if not as_json:
        click.echo(_said(ran.step.rows(CONFLICTS), ran.step.rows(MISSING)))
    print_step(ran, as_json=as_json)


def _said(conflicts: Iterable[Row], missing: Iterable[Row]) -> str:
    """Return what was seen as lines."""
    kinds = [row["kind"] for row in conflicts]
    head = f"questions with more than one answer: {len(kinds):,}, {kinds.count('contradiction'):,} contradictory"
    return "\n".join([head, *map(_warning, missing)])


def _warning(row: Row) -> str:
    return (
        f"warning: {row['text']!r} never occurs, where {row['expected']:,.0f} were to be expected ({row['before']:,} "
        f"and {row['after']:,} of its neighbours): a stop string has probably cut these answers"
    )
