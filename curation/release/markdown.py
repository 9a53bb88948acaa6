"""Markdown of untrusted text: nothing in it can become a heading, a link, HTML, a fence's end or a table's border."""

import re
from collections.abc import Iterable, Sequence

from curation.visible import on_one_line, visible

LONGEST = 120
"""Characters of a name that are shown."""
PARAGRAPH = 10_000
"""Characters of a paragraph that are shown."""

# GitHub links www.anything, anything:// and a@b by themselves.
_PUNCTUATION = re.compile(r"([\\`*_\[\]<>#|~&$@]|:(?=/)|(?<=www)\.)", re.IGNORECASE)
_BACKTICKS = re.compile(r"`+")


def inline(text: str, most: int = LONGEST) -> str:
    """Return text that reads as itself within a line: every character that Markdown gives a meaning is escaped."""
    return _PUNCTUATION.sub(r"\\\1", short(text, most))


def paragraphs(text: str) -> str:
    """Return what people wrote as paragraphs; a blank line starts a new one, nothing in it is Markdown."""
    parts = (part for part in re.split(r"\n\s*\n", text) if part.strip())
    return "\n\n".join(inline(part, most=PARAGRAPH) for part in parts)


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


def short(text: str, most: int = LONGEST) -> str:
    """Return text on one line, cut to what a name may take."""
    text = on_one_line(text)
    return text if len(text) <= most else text[: most - 1] + "…"


def _fence_for(text: str, least: int) -> str:
    longest = max((len(run) for run in _BACKTICKS.findall(text)), default=0)
    return "`" * max(least, longest + 1)
