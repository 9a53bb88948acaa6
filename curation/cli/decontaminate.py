"""`dolly-data decontaminate`: records that hold what models are tested on are rejected, and name it."""

from collections.abc import Iterable
from pathlib import Path

import click

from curation.cli.base import STEP, needed, print_step, progress_for, run_and_print, stage_options
from schemas.record import Row

WIDTH = 22
"""Characters of a plant's name in the table, at least."""


@click.command()
@click.argument("directory", metavar="DIR", type=STEP)
@click.option(
    "--against",
    multiple=True,
    default=(),
    metavar="PATH",
    help="A benchmark: a file, or a folder of them; may be repeated.",
)
@click.option(
    "--field", "fields", multiple=True, metavar="NAME", help="A field that holds prompts; else the usual ones."
)
@click.option(
    "--threshold",
    type=float,
    default=0.85,
    show_default=True,
    help="Cosine from which a prompt is the item in other words; 0 leaves embeddings out.",
)
@click.option(
    "--long-share",
    type=float,
    default=0.3,
    show_default=True,
    help="Share of an item, by weight of its words, that stretches of 13 tokens must cover.",
)
@click.option(
    "--short-share",
    type=float,
    default=0.6,
    show_default=True,
    help="Share of an item, by weight of its words, that stretches of 8 tokens must cover.",
)
@click.option(
    "--responses",
    is_flag=True,
    help="Compare the meaning of responses, too, with the benchmark's prompts and answers; it takes longer.",
)
@click.option("--encoder", default="minilm", show_default=True, help="What makes vectors, as for dedupe.")
@click.option("--plants", type=int, default=50, show_default=True, help="Items planted in each disguise.")
@stage_options
def decontaminate(
    directory: Path,
    against: tuple[str, ...],
    fields: tuple[str, ...],
    threshold: float,
    long_share: float,
    short_share: float,
    responses: bool,
    encoder: str,
    plants: int,
    output: Path | None,
    force: bool,
    dry_run: bool,
    plain: bool,
    as_json: bool,
) -> None:
    """Reject the records of the step DIR in which a benchmark's prompt or answer stands, and write a step directory.

    Looked for are whole items, stretches of 13 and of 8 tokens weighted so that stock phrases do not count, and prompts
    in other words; in instruction, context and response. The benchmark's own items, planted in disguise, measure how
    well it looks; the table is printed, and stays in the step as self_test.jsonl.
    """
    from curation.contamination.stage import Decontaminate
    from curation.pipeline import run_stage

    stage = Decontaminate(
        against=against,
        fields=fields,
        threshold=threshold,
        long_share=long_share,
        short_share=short_share,
        responses=responses,
        encoder=encoder,
        plants=plants,
    )
    if dry_run:
        run_and_print(stage, directory, output=output, force=force, dry_run=True, plain=plain, as_json=as_json)
        return
    aside = progress_for(as_json=as_json, plain=plain)
    ran = run_stage(stage, directory, needed(output), force=force, aside=aside)
    if not as_json:
        click.echo(_table(ran.step.rows("benchmarks"), ran.step.rows("self_test")))
    print_step(ran, as_json=as_json)


def _table(benchmarks: Iterable[Row], lines: Iterable[Row]) -> str:
    """Return what was looked for, and how much of what was planted was found."""
    read = list(lines)
    wide = max((WIDTH, *(len(row["plant"]) for row in read)))
    head = "; ".join(f"{row['file']}: {row['items']:,} items" for row in benchmarks)
    rows = [f"looked for {head}", "of the items planted in the data, found again:"]
    for row in read:
        methods = ", ".join(f"{name} {number}" for name, number in row["by_method"].items() if number)
        share = f"{row['found']} of {row['tried']}"
        rows.append(f"  {row['plant']:{wide}} {share:>12}  {row['ratio']:6.1%}  {methods}".rstrip())
    return "\n".join(rows)
