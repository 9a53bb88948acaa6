"""Markdown of untrusted text: nothing in it can become a heading, a link, HTML, a fence's end or a table's border."""

import re
from collections.abc import Iterable, Sequence

from curation.visible import on_one_line, visible

LONGEST = 120
"""Characters of a name that are shown."""

# GitHub links www.anything, anything:// and a@b by themselves.
_PUNCTUATION = re.compile(r"([\\`*_\[\]<>#|~&$@]|:(?=/)|(?<=www)\.)", re.IGNORECASE)
_BACKTICKS = re.compile(r"`+")


def inline(text: str) -> str:
    """Return text that reads as itself within a line: every character that Markdown gives a meaning is escaped."""
    return _PUNCTUATION.sub(r"\\\1", short(text))


def code(text: str) -> str:
    """Return text as a code span that no backtick in it can end; in a table its bars would, so they are escaped."""
    text = short(text) or " "
    ticks = _fence_for(text, least=1)
    pad = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{ticks}{pad}{text}{pad}{ticks}".replace("|", "\\|")


def fence(text: str, language: str = "") -> str:
    """Return text as a fenced block that no run of backticks in it can end."""
    ticks = _fence_for(text, least=3)
    return f"{ticks}{language}\n{visible(text)}\n{ticks}"


def table(columns: Sequence[str], rows: Iterable[Sequence[str | int]]) -> str:
    """Return a table; cells are Markdown already, numbers are set to the right."""
    cells = [[f"{cell:,}" if isinstance(cell, int) else cell for cell in row] for row in rows]
    right = [bool(cells) and cells[0][at].replace(",", "").isdigit() for at in range(len(columns))]
    lines = [list(columns), ["--:" if one else "--" for one in right], *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def short(text: str) -> str:
    """Return text on one line, cut to what a name may take."""
    text = on_one_line(text)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _fence_for(text: str, least: int) -> str:
    longest = max((len(run) for run in _BACKTICKS.findall(text)), default=0)
    return "`" * max(least, longest + 1)
