"""One record as the model will see it: which tokens are special, which are learned. Shown before anything is loaded.

It is made from the tokens that are trained on, not from the template, so that it cannot look better than it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import click

from training.markup import visible
from training.records.encoding import IGNORED, Encoder, Example

SHOWN = 600
"""Characters of one run of text that are shown; the rest is said in a number."""


LEARNED = ("»", "«")
"""Marks around what is learned, where there are no colours."""
SPECIAL = ("⟨", "⟩")
"""Marks around a special token."""
MARKS = str.maketrans({mark: f"⟨U+{ord(mark):04X}⟩" for mark in (*LEARNED, *SPECIAL)})
"""Typed marks are shown as what they are, so that no text looks like a token or a border."""


@dataclass(frozen=True, slots=True)
class Run:
    """Tokens of one kind, one after the other."""

    text: str
    special: bool
    """A single token that no user's text can make."""
    learned: bool
    """It counts in the loss."""
    tokens: int


def runs(encoder: Encoder, example: Example) -> Iterator[Run]:
    """Yield an example as runs of text and single special tokens."""
    special = frozenset(encoder.tokenizer.get_added_vocab().values()) | set(encoder.tokenizer.all_special_ids)
    marked = [
        (number if token in special else -1, token in special, label != IGNORED, token)
        for number, (token, label) in enumerate(zip(example.input_ids, example.labels, strict=True))
    ]
    for (_, one, learned), group in groupby(marked, key=lambda mark: mark[:3]):
        ids = [token for *_, token in group]
        text = encoder.tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)
        yield Run(text, one, learned, len(ids))


def sample_text(encoder: Encoder, example: Example, *, colour: bool) -> str:
    """Return an example for a terminal: learned tokens green, or between » and «; special ones between ⟨ and ⟩."""
    parts = []
    for learned, group in groupby(runs(encoder, example), key=lambda one: one.learned):
        text = "".join(_drawn(one) for one in group)
        plain = f"{LEARNED[0]}{text}{LEARNED[1]}" if learned and not colour else text
        parts += [_styled(line, learned=learned, colour=colour) for line in plain.splitlines(keepends=True)]
    return "  " + "".join(parts).replace("\n", "\n  ")


def _drawn(run: Run) -> str:
    """Return a run as text that is only text; a special token keeps the line break that it ends with."""
    if not run.special:
        return visible(_shortened(run.text).translate(MARKS))
    name = run.text.rstrip("\n")
    return f"{SPECIAL[0]}{visible(name)}{SPECIAL[1]}{run.text[len(name) :]}"


def _styled(line: str, *, learned: bool, colour: bool) -> str:
    return click.style(line, fg="green") if learned and colour else line


def _shortened(text: str) -> str:
    """Return a text whose middle is left out where it is long, saying so."""
    left = len(text) - SHOWN
    return text if left <= 0 else f"{text[: SHOWN // 2]} [… {left:,} characters …] {text[-SHOWN // 2 :]}"
