"""Makes characters that cannot be seen, or that reorder what is seen, visible: untrusted text is only ever text."""

import re
import unicodedata
from functools import cache
from typing import NamedTuple

UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Unicode categories without a glyph of their own: controls, formats (bidi, zero width, tags), surrogates, private."""
BLANK = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters and symbols that draw nothing, by which text has been hidden."""
SELECTORS = ("\U000e0100", "\U000e01ef")
"""Variation selectors that only carry data; the first sixteen are left alone, emoji use them."""

# A quick pattern finds the few places that need a look: everything it does not match is printable ASCII, line or tab.
_SUSPECT = re.compile(r"[^\t\n\x20-\x7e]")


class Run(NamedTuple):
    """A piece of text, and whether it stands for a character that could not be seen."""

    text: str
    stands_in: bool = False
    name: str = ""
    """Unicode name of the character it stands for."""


def visible(text: str) -> str:
    """Return `text` with each unseen character as a sign for it; line breaks and tabs stay."""
    return _SUSPECT.sub(lambda match: sign(match[0]), text)


def on_one_line(text: str) -> str:
    """Return `text` visible and without line breaks or tabs, for titles, labels and terminals."""
    return visible(" ".join(text.split()))


def runs(text: str) -> list[Run]:
    """Split `text` at the characters that cannot be seen, each becoming a run of its own."""
    found: list[Run] = []
    start = 0
    for match in _SUSPECT.finditer(text):
        if (shown := sign(match[0])) != match[0]:
            found += [Run(text[start : match.start()])] if match.start() > start else []
            found.append(Run(shown, stands_in=True, name=_name(match[0])))
            start = match.end()
    return [*found, Run(text[start:])] if start < len(text) or not found else found


@cache
def sign(char: str) -> str:
    """Return what is shown for one character: itself, or its code point in brackets, which every font can draw."""
    return f"\u27e8U+{ord(char):04X}\u27e9" if char not in "\n\t" and _unseen(char) else char


def _unseen(char: str) -> bool:
    return unicodedata.category(char) in UNSEEN or char in BLANK or SELECTORS[0] <= char <= SELECTORS[1]


def _name(char: str) -> str:
    return f"U+{ord(char):04X} {unicodedata.name(char, '')}".strip()
