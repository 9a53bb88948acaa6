"""`dolly-data score`: what scorers say of each record, and how far they agree."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from curation.cli.base import (
    STEP,
    DefaultGroup,
    echo_event,
    engine_options,
    needed,
    print_step,
    progress_for,
    stage_options,
)


class Names(click.ParamType[tuple[str, ...]]):
    """Names with commas between them."""

    name = "NAME,..."

    def convert(self, value: Any, _param: click.Parameter | None, _ctx: click.Context | None) -> tuple[str, ...]:
        """Split the names."""
        return value if isinstance(value, tuple) else tuple(part.strip() for part in str(value).split(","))


@click.group(cls=DefaultGroup, default="records")
def score() -> None:
    """Score the records of a step, or say how far scorers agree: `score DIR -o OUT`, `score agreement DIR`."""


@score.command()
@click.argument("directory", metavar="DIR", type=STEP)
@click.option(
    "--scorer",
    "scorers",
    type=Names(),
    default=("surface",),
    help="Some of ifd (difficulty by a model), judge (ratings by a model), surface (cheap figures).  "
    "[default: surface]",
)
@click.option(
    "--model", default="smollm2-135m", show_default=True, help="Measures difficulty: an alias, a path or a Hub id."
)
@click.option("--template", default="dolly-v1", show_default=True, help="The prompt in which it reads a record.")
@click.option(
    "--precision",
    type=click.Choice(["auto", "bf16", "fp32"]),
    default="auto",
    show_default=True,
    help="How it multiplies; auto: in bf16 where the processor does so natively.",
)
@click.option(
    "--batch-tokens", default=0, show_default=True, help="Padded tokens of a batch; 0: what suits the device."
)
@click.option("--cache/--no-cache", default=True, show_default=True, help="Keep losses for the next run.")
@click.option(
    "--judge-model",
    default="",
    help="The judge: an embedded model, a path, a Hub id; with --judge-base-url, the endpoint's name for it.",
)
@click.option(
    "--judge-base-url", default="", help="An OpenAI-compatible endpoint; its key is read from OPENAI_API_KEY."
)
@click.option(
    "--criteria",
    type=Names(),
    default=("accuracy", "complexity", "quality", "preference"),
    help="What the judge is asked: some of accuracy, complexity, quality, and preference between two responses to one "
    "prompt.  [default: all]",
)
@click.option("--max-pairs", default=1000, show_default=True, help="Pairs of responses compared at most.")
@click.option("--repeat", default=20, show_default=True, help="Records rated twice, to see if the judge agrees.")
@click.option("--budget", default="", help="What the judge may cost: 5usd, 2Mtok, 30min, or several: 5usd,30min.")
@click.option("--journal", default="", help="Folder of the judge's answers; default: OUTPUT.journal.")
@partial(engine_options, workers="one a processor; for ifd 1 with --engine local")
@stage_options
def records(
    directory: Path,
    output: Path | None,
    force: bool,
    dry_run: bool,
    plain: bool,
    as_json: bool,
    engine: Any,
    **settings: Any,
) -> None:
    """Score every record of the step DIR, reject none, and write a step with `scores.jsonl`.

    Select by a score with `dolly-data select OUT --by NAME`. A score that cannot be had is null with a reason, and
    counted. --dry-run says what the judge would cost, and sends nothing.
    """
    from curation.cli.scores import cost_lines, score_lines
    from curation.pipeline import open_input, run_stage
    from curation.score.stage import Scoring

    stage = Scoring(**settings)
    if dry_run:
        before = open_input(directory)
        lines = cost_lines(stage.beside(output) if output else stage, list(before.records()))
    else:
        aside = progress_for(as_json=as_json, plain=plain)
        ran = run_stage(stage, directory, needed(output), force=force, aside=aside, engine=engine)
        print_step(ran, as_json=as_json)
        lines = score_lines(ran.step)
    for event, text in lines:
        echo_event(event, text, as_json=as_json)


@score.command()
@click.argument("directory", metavar="DIR", type=STEP)
@click.option("--name", "names", multiple=True, help="A score to compare; may be repeated.  [default: all]")
@click.option("--top", default=0.1, show_default=True, type=click.FloatRange(0, 1, min_open=True), help="The top part.")
@click.option("--seed", default=1, show_default=True, help="Of the bootstrap.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as a JSON line.")
def agreement(directory: Path, names: tuple[str, ...], top: float, seed: int, as_json: bool) -> None:
    """Say how far the scores of the step DIR agree with each other, with length, and with chance."""
    from dataclasses import asdict

    from curation.cli.scores import agreement_text
    from curation.pipeline import open_input
    from curation.score.agreement import agreement_of

    found = agreement_of(open_input(directory), names=names, top=top, seed=seed)
    event = {"event": "agreement", **asdict(found), "said": found.said()}
    echo_event(event, agreement_text(found), as_json=as_json)
