"""`dolly-train respond MODEL INSTRUCTION`."""

import sys

import click

from training.cli.options import SAMPLING, TEMPLATE, WATCHING, with_options


@click.command(short_help="Print a model's answer.")
@click.argument("model")
@click.argument("instruction")
@click.option("--context", default="", help="What the instruction is about.")
@TEMPLATE
@click.option("--greedy", is_flag=True, help="The likeliest token each time, instead of drawing as Dolly did.")
@with_options(*SAMPLING, *WATCHING)
def respond(
    model: str,
    instruction: str,
    context: str,
    template: str | None,
    *,
    greedy: bool,
    max_new_tokens: int,
    seed: int,
    plain: bool,
    as_json: bool,
) -> None:
    """Print MODEL's answer to INSTRUCTION; on a terminal it appears as it is written, and Ctrl-C ends it.

    A checkpoint of dolly-train is asked as it was trained; another model is asked with --template.
    """
    from training.answers.respond import Prompt, Sampling, answer, open_responder
    from training.answers.speech import speak
    from training.markup import visible
    from training.show import run as show

    aside = show.Watch.on(as_json=as_json, plain=plain)
    sampling = Sampling(max_new_tokens=max_new_tokens, greedy=greedy, seed=seed)
    responder = open_responder(model, template or "", aside)
    prompt = Prompt(instruction, context)
    if sys.stdout.isatty() and not as_json and not plain:
        said = speak(responder, prompt, sampling, lambda piece: click.echo(visible(piece), nl=False))
        click.echo("" if said.stopped else " […]")
        return
    (said,) = answer(responder, [prompt], sampling, aside)
    click.echo(show.answer_json(said) if as_json else show.answer_text(said))
