"""`dolly-train compare MODEL...`."""

from pathlib import Path
from typing import Any

import click

from training.cli.options import DATA, SAMPLING, TEMPLATE, WATCHING, with_options

ELSEWHERE = (
    click.option(
        "--endpoint", "urls", multiple=True, metavar="URL",
        help="An OpenAI-compatible endpoint to ask as well; its key is read from OPENAI_API_KEY. Repeatable.",
    ),
    click.option("--model", "models_there", multiple=True, metavar="NAME", help="The model to ask at --endpoint."),
    click.option(
        "--judge", "judge_url", default="", metavar="URL",
        help="An endpoint that judges each pair, in both orders; its key is read from OPENAI_JUDGE_API_KEY.",
    ),
    click.option("--judge-model", default="", metavar="NAME", help="The model to ask at --judge."),
)  # fmt: skip


class Page(click.Path):
    """A page to write; what stands beside it has its name with another ending."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the file."""
        if not str(value).endswith((".html", ".htm")):
            self.fail(f"expected a page whose name ends in .html, found {str(value)!r}", param, ctx)
        return super().convert(value, param, ctx)


@click.command(short_help="Put answers of several models side by side.")
@click.argument("models", nargs=-1, metavar="[MODEL]...")
@click.option(
    "--prompts", default="announcement", show_default=True, help="A JSONL file, or a set that comes along: dolly-140."
)
@click.option("--held-out", type=DATA, default=None, help="Records to measure the loss on.")
@click.option(
    "-o",
    "--output",
    type=Page(path_type=Path, dir_okay=False),
    required=True,
    help="The page to write; JSON beside it.",
)
@with_options(*ELSEWHERE)
@click.option("--blind", is_flag=True, help="Also write a page to vote on without knowing which is which, and its key.")
@TEMPLATE
@click.option("--greedy/--sample", default=True, show_default=True, help="The likeliest token each time, or drawn.")
@with_options(*SAMPLING, *WATCHING)
def compare(
    models: tuple[str, ...],
    prompts: str,
    held_out: Path | None,
    output: Path,
    urls: tuple[str, ...],
    models_there: tuple[str, ...],
    judge_url: str,
    judge_model: str,
    template: str | None,
    *,
    blind: bool,
    greedy: bool,
    max_new_tokens: int,
    seed: int,
    plain: bool,
    as_json: bool,
) -> None:
    """Ask every MODEL the same prompts and write their answers side by side into one HTML page.

    Models that were not tuned here get the text of the same prompt (--template), and are stopped at the text of its
    keys. Numbers have 95 % intervals; differences are to the first MODEL. What an endpoint answered is kept in
    OUTPUT.journal.jsonl and not asked for again.
    """
    if len(urls) != len(models_there):
        raise click.UsageError("--endpoint and --model go together: one of each.")
    if bool(judge_url) != bool(judge_model):
        raise click.UsageError("--judge and --judge-model go together.")
    from training.answers.questions import find_prompts
    from training.answers.respond import Sampling
    from training.compare.blind import write_ballots
    from training.compare.compare import compare as ask
    from training.compare.endpoint import JUDGE_KEY, Endpoint
    from training.compare.journal import Journal
    from training.compare.page import write_page
    from training.show import compare as show_compare
    from training.show import run as show

    journal = Journal(output.with_suffix(".journal.jsonl"))
    judge = Endpoint(url=judge_url, model=judge_model, journal=journal, key_variable=JUDGE_KEY)
    compared = ask(
        models,
        find_prompts(prompts),
        sampling=Sampling(max_new_tokens=max_new_tokens, greedy=greedy, seed=seed),
        held_out=held_out,
        template=template or "",
        endpoints=[
            Endpoint(url=url, model=name, journal=journal) for url, name in zip(urls, models_there, strict=True)
        ],
        judge=judge if judge_url else None,
        aside=show.Watch.on(as_json=as_json, plain=plain),
    )
    write_page(compared, output)
    written = write_ballots(compared, output, seed) if blind else None
    tell = show_compare.comparison_json if as_json else show_compare.comparison_text
    click.echo(tell(compared, output, written))
