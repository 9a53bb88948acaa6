"""`dolly-train chat MODEL`."""

import sys
from typing import TextIO

import click

from training.cli.options import SAMPLING, TEMPLATE, WATCHING, with_options


@click.command(short_help="Ask a model question after question.")
@click.argument("model")
@click.option("--context", type=click.File(encoding="utf-8"), default=None, help="A text that every question is about.")
@TEMPLATE
@click.option("--greedy", is_flag=True, help="The likeliest token each time, instead of drawing as Dolly did.")
@with_options(*SAMPLING, *WATCHING)
def chat(
    model: str,
    context: TextIO | None,
    template: str | None,
    *,
    greedy: bool,
    max_new_tokens: int,
    seed: int,
    plain: bool,
    as_json: bool,
) -> None:
    """Ask MODEL question after question; answers appear as they are written. Each question stands alone.

    Ctrl-C stops an answer, Ctrl-D ends. From a pipe every line is a question and its answer a line, or with --json an
    object on a line.
    """
    from training.answers.chat import on_lines, on_terminal
    from training.answers.respond import Sampling, open_responder
    from training.show import run as show

    sampling = Sampling(max_new_tokens=max_new_tokens, greedy=greedy, seed=seed)
    text = context.read() if context else ""
    responder = open_responder(model, template or "", show.Watch.on(as_json=as_json, plain=plain))
    if sys.stdin.isatty() and not as_json:
        on_terminal(responder, sampling, text)
    else:
        on_lines(
            responder,
            sampling,
            text,
            iter(sys.stdin),
            lambda question, said: click.echo(
                show.asked_json(question, said) if as_json else show.answer_text(said).replace("\n", "\\n")
            ),
        )
