"""`dolly-train compare MODEL...`."""

from pathlib import Path

import click

from training.cli.options import SAMPLING, TEMPLATE, WATCHING, with_options


@click.command(short_help="Put answers of several models side by side.")
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@click.option("--prompts", default="announcement", show_default=True, help="A JSONL file, or a set that comes along.")
@click.option("--held-out", type=click.Path(path_type=Path), default=None, help="Records to measure the loss on.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="The page to write; JSON beside it."
)
@TEMPLATE
@click.option("--greedy/--sample", default=True, show_default=True, help="The likeliest token each time, or drawn.")
@with_options(*SAMPLING, *WATCHING)
def compare(
    models: tuple[str, ...],
    prompts: str,
    held_out: Path | None,
    output: Path,
    template: str | None,
    *,
    greedy: bool,
    max_new_tokens: int,
    seed: int,
    plain: bool,
    as_json: bool,
) -> None:
    """Ask every MODEL the same prompts and write their answers side by side into one HTML page.

    Models that were not tuned here get the text of the same prompt (--template).
    """
    from training import show
    from training.compare import compare as ask
    from training.page import write_page
    from training.questions import find_prompts
    from training.respond import Sampling

    sampling = Sampling(max_new_tokens=max_new_tokens, greedy=greedy, seed=seed)
    compared = ask(
        models,
        find_prompts(prompts),
        sampling=sampling,
        held_out=held_out,
        template=template or "",
        aside=show.Watch.on(as_json=as_json, plain=plain),
    )
    write_page(compared, output)
    click.echo(show.comparison_json(compared, output) if as_json else show.comparison_text(compared, output))
