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
    """Return what is shown for one character: a control picture, its code point in brackets, or itself."""
    code = ord(char)
    if char in "\n\t" or not _unseen(char):
        return char
    if code < 0x20:  # noqa: PLR2004  # the C0 controls
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"\u27e8U+{code:04X}\u27e9"  # noqa: PLR2004  # DELETE


def _unseen(char: str) -> bool:
    return unicodedata.category(char) in UNSEEN or char in BLANK or SELECTORS[0] <= char <= SELECTORS[1]


def _name(char: str) -> str:
    return f"U+{ord(char):04X} {unicodedata.name(char, '')}".strip()
