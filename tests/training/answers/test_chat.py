"""Answers are read while they are written; a conversation is many questions that stand alone."""

import io
import json
import os
import pty
import select
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

from tests.support import ROOT
from training.answers.respond import Prompt, Responder, Sampling, answer, open_responder
from training.answers.speech import Speech, speak
from training.cli import main

GREEDY = Sampling(greedy=True, max_new_tokens=12)
END_OF_INPUT = b"\x04"
INTERRUPT = b"\x03"
OWN_TERMINAL = """\
import fcntl, os, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from training.cli import main
main()"""
"""Runs the command with the terminal as its own, so that Ctrl-C reaches it."""


@pytest.fixture(scope="module")
def base(tiny: Path) -> Responder:
    """The untuned model."""
    return open_responder(str(tiny))


def pieces_of(responder: Responder, ids: list[int]) -> list[str]:
    """Return what is said while these tokens come one by one."""
    pieces: list[str] = []
    speech = Speech(responder=responder, say=pieces.append)
    speech.put(torch.tensor([[1, 2, 3]]))  # the prompt
    for token in ids:
        speech.put(torch.tensor([token]))
    speech.end()
    return pieces


def test_the_pieces_are_the_answer(tuned: Path) -> None:
    """The same tokens and text as an answer that is waited for."""
    responder, pieces = open_responder(str(tuned)), list[str]()

    said = speak(responder, Prompt("Name colour 3."), GREEDY, pieces.append)

    assert [said] == answer(responder, [Prompt("Name colour 3.")], GREEDY)
    assert "".join(pieces) == said.text == "Red."


def test_half_a_character_waits_for_the_other_half(base: Responder) -> None:
    """Byte-level tokens cut letters; none is ever shown as a blot."""
    ids = base.encoder.tokenizer("né 🙂 so")["input_ids"]

    pieces = pieces_of(base, ids)

    assert "".join(pieces) == "né 🙂 so"
    assert not any("�" in piece for piece in pieces)


def test_an_end_key_that_is_only_text_is_never_shown(base: Responder) -> None:
    """Not even its first half; what only looked like one is."""
    tokenizer = base.encoder.tokenizer

    assert "".join(pieces_of(base, tokenizer("Blue.\n\n### End and more")["input_ids"])) == "Blue."
    assert "".join(pieces_of(base, tokenizer("Blue ### Enough")["input_ids"])) == "Blue ### Enough"


def test_ctrl_c_ends_an_answer_which_stands_as_it_is(base: Responder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lost of what was said."""

    def interrupted(*_: Any, streamer: Speech, **__: Any) -> None:
        streamer.put(torch.tensor([[1]]))
        streamer.put(torch.tensor(base.encoder.tokenizer("Red and")["input_ids"]))
        raise KeyboardInterrupt

    monkeypatch.setattr(base.model, "generate", interrupted)

    said = speak(base, Prompt("Hi."), GREEDY, lambda _: None)

    assert (said.text, said.stopped) == ("Red and", False)


def asked(model: Path, lines: str, *more: str) -> str:
    """Return what a chat prints for piped lines."""
    done = CliRunner().invoke(main, ["chat", str(model), "--greedy", "--plain", *more], input=lines)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_piped_lines_are_answered_line_by_line(tuned: Path) -> None:
    """Empty ones are passed over."""
    assert asked(tuned, "Name colour 1.\n\nName colour 2.\n") == "Red.\nRed.\n"


def test_json_is_an_object_a_line(tuned: Path, tmp_path: Path) -> None:
    """With the question; a context may come along."""
    (tmp_path / "context.txt").write_text("Of a rose.")

    said = [json.loads(line) for line in asked(tuned, "Name colour 1.\n", "--json").splitlines()]
    asked(tuned, "Name colour 1.\n", "--context", str(tmp_path / "context.txt"))

    assert [(one["event"], one["question"], one["text"]) for one in said] == [("answer", "Name colour 1.", "Red.")]


@dataclass
class Terminal:
    """What a terminal has shown, read as far as it was waited for."""

    handle: int
    shown: str = ""
    read: int = 0

    def until(self, wanted: str) -> str:
        """Return what is shown from where the last wait ended, up to and with a text."""
        while (at := self.shown.find(wanted, self.read)) < 0:
            self.shown += os.read(self.handle, 4096).decode()
        start, self.read = self.read, at + len(wanted)
        return self.shown[start : self.read]

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self.handle, keys)

    def interrupt(self, answer: str) -> None:
        """Press Ctrl-C until it is answered: Python loses one that comes between a prompt and its reading."""
        while answer not in self.shown[self.read :]:
            self.type(INTERRUPT)
            while select.select([self.handle], [], [], 1)[0]:
                self.shown += os.read(self.handle, 4096).decode()


def _heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_on_a_terminal(tuned: Path) -> None:
    """A real one: it says that questions stand alone, answers, drops a line at Ctrl-C and ends at Ctrl-D."""
    terminal, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "dumb"}
    process = subprocess.Popen(
        [sys.executable, "-c", OWN_TERMINAL, "chat", str(tuned), "--greedy"],
        stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL, env=environment, preexec_fn=_heed_interrupts,  # noqa: PLW1509  # no other thread runs here
    )  # fmt: skip
    os.close(theirs)

    shown = Terminal(terminal)
    assert "Every question stands alone" in shown.until("> ")
    shown.type(b"Name colour 3.\n")
    assert "Red." in shown.until("> ")
    shown.interrupt("Ctrl-D ends.")
    shown.until("Ctrl-D ends.")
    shown.until("> ")
    shown.type(END_OF_INPUT)
    assert process.wait() == 0
    os.close(terminal)


def test_what_moves_the_cursor_is_shown(base: Responder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model's escape codes are text."""
    from training.answers import chat  # noqa: PLC0415  # heavy

    def hostile(*_: Any) -> Any:
        _[3]("\x1b[2JHi")
        return answer(base, [Prompt("Hi.")], GREEDY)[0]

    monkeypatch.setattr(chat, "speak", hostile)
    monkeypatch.setattr(chat, "_questions", lambda _: iter(["Hi."]))
    out = io.StringIO()

    chat.on_terminal(base, GREEDY, "", out)

    assert "⟨U+001B⟩[2JHi" in out.getvalue()
    assert "\x1b" not in out.getvalue()
