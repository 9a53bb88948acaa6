"""`dolly-data select`: the best records within a budget, and controls of the same size."""

from pathlib import Path
from typing import Any, Literal

import click

from curation.cli.base import echo_event, engine_options, needed, print_step, progress_for, run_and_print, stage_options


@click.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--keep", required=True, metavar="N|N%|Ntok", help="How much: 5000, 10k, 30%, 500ktok, 2Mtok.")
@click.option(
    "--by",
    default="surface",
    show_default=True,
    help="The score: surface (built in, weak), or a name in scores.jsonl, or a field of the rows.",
)
@click.option("--prefer", type=click.Choice(["high", "low"]), default="high", show_default=True, help="The better end.")
@click.option(
    "--max-score",
    default="auto",
    show_default=True,
    metavar="X",
    help="Reject records whose score is above; auto: 1 for the ratios of IFD (the prompt misleads), else none.",
)
@click.option(
    "--scores",
    multiple=True,
    default=(),
    metavar="FILE",
    help="Files of scores.  [default: of the steps that led here]",
)
@click.option("--max-cosine", default=0.9, show_default=True, help="Most that two kept prompts may be alike; 1: any.")
@click.option(
    "--floor",
    default=0.5,
    show_default=True,
    help="Part of its proportional share of the budget that each category is sure of.",
)
@click.option("--encoder", default="minilm", show_default=True, help="What makes vectors of prompts, as for dedupe.")
@click.option(
    "--tokens", default="estimate", show_default=True, help="Counts tokens: estimate, or a model's tokenizer by name."
)
@click.option("--seed", default=1, show_default=True, help="Of the random control.")
@engine_options
@stage_options
def select(
    directory: Path,
    keep: str,
    by: str,
    prefer: Literal["high", "low"],
    max_score: str,
    scores: tuple[str, ...],
    max_cosine: float,
    floor: float,
    encoder: str,
    tokens: str,
    seed: int,
    output: Path | None,
    force: bool,
    dry_run: bool,
    plain: bool,
    as_json: bool,
    engine: Any,
) -> None:
    """Keep the best records of the step DIR within a budget, and write two controls of the same size beside them.

    Records are taken from the best score down, each only if its prompt is not too like one that was taken. A record
    whose score is missing ranks last, and is counted. OUT-random and OUT-longest hold as many records (or tokens) by
    chance and by length: train on all three before you believe the score.
    """
    from curation.select.stage import Select
    from curation.selection import select as run_selection
    from curation.selection import size_of

    stage = Select(
        keep=keep,
        by=by,
        prefer=prefer,
        max_score=max_score,
        scores=scores,
        max_cosine=max_cosine,
        floor=floor,
        encoder=encoder,
        tokens=tokens,
        engine=engine,
    )
    if dry_run:
        run_and_print(stage, directory, output=None, force=force, dry_run=True, plain=plain, as_json=as_json)
        return
    aside = progress_for(as_json=as_json, plain=plain)
    found = run_selection(stage, directory, needed(output), seed=seed, force=force, aside=aside, engine=engine)
    print_step(found.ran, as_json=as_json)
    unscored = size_of(found.ran.step).unscored
    if unscored:
        click.echo(f"{unscored:,} records have no score {by}: they rank last", err=as_json)
    for order, ran in {by: found.ran, **found.controls}.items():
        size = size_of(ran.step)
        event = {"event": "selected", "by": order, "path": str(ran.step.path), "records": size.records}
        text = f"  {order:12} {size.records:>8,} records {size.tokens:>10,} tokens  {ran.step.path}"
        echo_event({**event, "tokens": size.tokens, "unscored": unscored}, text, as_json=as_json)
