"""`dolly-data dedupe`: records that a better record makes needless are rejected, and name it."""

from pathlib import Path

import click

from curation.cli.base import run_and_print, stage_options


@click.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--threshold",
    type=float,
    default=0.9,
    show_default=True,
    help="Cosine of two prompts from which they are duplicates; above 0, up to 1.",
)
@click.option(
    "--encoder",
    default="minilm",
    show_default=True,
    help="What makes vectors of prompts: minilm, hashing (no model; sees spelling), or a sentence-transformers model "
    "by path or Hub id.",
)
@click.option(
    "--verify/--no-verify",
    default=True,
    show_default=True,
    help="Keep both where two like prompts differ in a number, a name, a negation or the like.",
)
@stage_options
def dedupe(
    directory: Path,
    threshold: float,
    encoder: str,
    verify: bool,
    output: Path | None,
    force: bool,
    dry_run: bool,
    plain: bool,
    as_json: bool,
) -> None:
    """Keep the best of the records in the step DIR that ask for the same, and write a step directory.

    Records with the same prompt and response but for case and spacing are exact duplicates; records with like prompts
    are near ones. Every rejected record names a kept one that it duplicates, with their cosine, and no two kept ones
    are duplicates. The order of the input decides nothing.
    """
    from curation.dedupe.stage import Dedupe

    stage = Dedupe(threshold=threshold, encoder=encoder, verify=verify)
    run_and_print(stage, directory, output=output, force=force, dry_run=dry_run, plain=plain, as_json=as_json)
