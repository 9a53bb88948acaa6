"""`dolly-data dedupe`: records that a better record makes needless are rejected, and name it."""

from pathlib import Path
from typing import Any

import click

from curation.cli.base import echo_event, engine_options, progress_for, run_and_print, stage_options


class Thresholds(click.ParamType[tuple[float, ...]]):
    """Numbers with commas between them."""

    name = "T,T,..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        """Read the numbers."""
        try:
            return tuple(float(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not numbers with commas between them, such as 0.85,0.9,0.95", param, ctx)


@click.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--threshold",
    type=float,
    default=0.88,
    show_default=True,
    help="Cosine of two prompts from which they may be duplicates; above 0, up to 1.",
)
@click.option(
    "--encoder",
    default="minilm",
    show_default=True,
    help="What makes vectors of prompts: minilm, onnx-minilm-int8 (the same without torch), static (word by word: "
    "for a quick look), hashing (no model; sees spelling), or a sentence-transformers model by path or Hub id.",
)
@click.option(
    "--verify",
    type=click.Choice(["rules", "judge", "none"]),
    default="rules",
    show_default=True,
    help="rules: keep both where two like prompts differ in a number, a name, a negation or the like, or their answers "
    "do; judge: ask a model, too, where the rules cannot be sure; none: by the cosine alone.",
)
@click.option(
    "--judge-model",
    default="",
    help="The judge: an embedded model, a path, a Hub id; with --judge-base-url, the endpoint's name for it.",
)
@click.option(
    "--judge-base-url", default="", help="An OpenAI-compatible endpoint; its key is read from OPENAI_API_KEY."
)
@click.option(
    "--judge-band",
    default=0.03,
    show_default=True,
    help="Cosines so far from the threshold are asked about though nothing else is in doubt.",
)
@click.option("--max-judged", default=1000, show_default=True, help="Pairs asked about at most; rules decide the rest.")
@click.option("--budget", default="", help="What the judge may cost: 5usd, 2Mtok, 30min, or several: 5usd,30min.")
@click.option("--journal", default="", help="Folder of the judge's answers; default: OUTPUT.journal.")
@click.option(
    "--responses-per-instruction",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="How many records may stay of those that ask for the same.",
)
@click.option(
    "--prefer",
    default="score",
    show_default=True,
    metavar="FIELD",
    help="A number among the foreign fields of a record: the higher, the better the record.",
)
@click.option(
    "--against",
    multiple=True,
    default=(),
    metavar="PATH",
    help="A step, release or file whose records are kept already: reject what duplicates those, too; may be repeated.",
)
@click.option(
    "--allow-loss",
    multiple=True,
    default=(),
    metavar="NAME",
    help="A source or category that may lose more than half of its different records; may be repeated.",
)
@click.option(
    "--keep-threshold",
    "thresholds",
    type=Thresholds(),
    help="Print how many records each of these thresholds would keep, and write nothing.",
)
@engine_options
@stage_options
def dedupe(
    directory: Path,
    thresholds: tuple[float, ...] | None,
    output: Path | None,
    force: bool,
    dry_run: bool,
    plain: bool,
    as_json: bool,
    engine: Any,
    **settings: Any,
) -> None:
    """Keep the best of the records in the step DIR that ask for the same, and write a step directory.

    Records with the same prompt and response but for case and spacing are exact duplicates; records that ask for the
    same in other words are near ones. Every rejected record names a kept one that it duplicates, with their cosine, and
    no two kept ones are duplicates. The order of the input decides nothing.
    """
    from curation.dedupe.stage import Dedupe

    stage = Dedupe(**settings, engine=engine)
    if thresholds is None:
        run_and_print(
            stage,
            directory,
            output=output,
            force=force,
            dry_run=dry_run,
            plain=plain,
            as_json=as_json,
            engine=engine,
        )
        if stage.verify == "judge" and output and not dry_run:
            _print_judging(output, as_json=as_json)
        return
    if stage.verify == "judge":
        raise click.UsageError("--keep-threshold compares what the rules decide: leave out --verify judge.")
    from curation.dedupe.sweep import sweep
    from curation.pipeline import open_input

    aside = progress_for(as_json=as_json, plain=plain)
    for kept in sweep(stage, open_input(directory).records(), thresholds, aside=aside):
        event = {
            "event": "kept",
            "threshold": kept.threshold,
            "kept": kept.kept,
            "exact": kept.exact,
            "near": kept.near,
        }
        said = f"{kept.threshold:<6g} {kept.kept:>9,} kept, {kept.exact:,} exact and {kept.near:,} near duplicates"
        echo_event(event, said, as_json=as_json)


def _print_judging(output: Path, *, as_json: bool) -> None:
    """Print what the judge made of the grey band; for programs on stderr, because stdout is the step's."""
    from schemas.codec import dumps
    from schemas.step import StepDirectory

    for found in StepDirectory.open(output).rows("judging"):
        said = (
            "{judge} was asked about {asked:,} pairs in both orders: {same:,} the same, {different:,} different; kept "
            "apart {disagree:,} with two answers and {unreadable:,} without one that can be read; {unasked:,} left to "
            "the rules"
        ).format(**found)
        click.echo(dumps({"event": "judge", **found}).decode() if as_json else said, err=as_json)
