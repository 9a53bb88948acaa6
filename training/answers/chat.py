"""Questions from a terminal or a pipe, answered one by one; each stands alone, as every record did in training."""

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TextIO

from training.answers.respond import Answer, Prompt, Responder, Sampling
from training.answers.speech import speak
from training.markup import visible

ASK = "> "
HEAD = """\
{name}: {template}. Every question stands alone: the model was trained on single answers and remembers nothing.
Ctrl-C stops an answer, Ctrl-D ends."""


def on_terminal(responder: Responder, sampling: Sampling, context: str, out: TextIO = sys.stdout) -> None:
    """Talk with a person until Ctrl-D; what would move the cursor is shown instead."""
    _say(out, HEAD.format(name=visible(responder.name), template=responder.encoder.template.name) + "\n")
    for question in _questions(out):
        answer = speak(responder, Prompt(question, context), sampling, lambda piece: _say(out, visible(piece)))
        _say(out, "\n\n" if answer.stopped else " […]\n\n")


def on_lines(
    responder: Responder, sampling: Sampling, context: str, lines: Iterator[str], show: Callable[[str, Answer], None]
) -> None:
    """Answer every line that is not empty as it comes, each drawn with the same seed wherever it stands."""
    for line in lines:
        if question := line.strip():
            show(question, speak(responder, Prompt(question, context), sampling, lambda _: None))


def _questions(out: TextIO) -> Iterator[str]:
    """Yield what is typed, with the line editing of a shell where Python has it; Ctrl-C drops the line."""
    with suppress(ImportError):
        import readline  # noqa: F401, PLC0415  # importing it is what turns editing on
    while True:
        try:
            line = input(ASK)
        except EOFError:
            _say(out, "\n")
            return
        except KeyboardInterrupt:
            _say(out, "\nCtrl-D ends.\n")
            continue
        if line.strip():
            yield line.strip()


def _say(out: TextIO, text: str) -> None:
    out.write(text)
    out.flush()
