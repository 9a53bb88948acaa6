"""UTF-8 that was read as Windows-1252: "cafÃ©" for "café". It can often be undone without loss.

A run of such characters is put back only where that is certain: every byte of it is valid UTF-8, the way back gives the
same run again, and it does not read as text of its own (a capital letter and a closing quotation mark, as in "CAFÉ”",
are valid bytes too). Anything less is left to `broken_characters`.
"""

import re
from dataclasses import dataclass
from typing import ClassVar

from curation.filters.view import view
from schemas.outcome import Finding
from schemas.record import TEXT_FIELDS, InstructionRecord, Repair

_FROM_BYTE = {one: bytes([one]).decode("cp1252", errors="ignore") or chr(one) for one in range(0x80, 0x100)}
_TO_BYTE = {letter: one for one, letter in _FROM_BYTE.items()}
"""Windows-1252 as programs read it: the five bytes it leaves open stand for themselves."""
_FIRST = "".join(_FROM_BYTE[one] for one in range(0xC2, 0xF5))
_NEXT = "".join(_FROM_BYTE[one] for one in range(0x80, 0xC0))
_RUN = re.compile(f"(?:[{re.escape(_FIRST)}][{re.escape(_NEXT)}]{{1,3}})+")
_AMBIGUOUS = frozenset(
    "\u201c\u201d\u2018\u2019\u201a\u201e\u2039\u203a\u00ab\u00bb\u2013\u2014\u2026\u2022\u00a0\u00ba\u00aa\u00b0"
)
"""What may well follow a capital letter in a text that nobody broke."""
_TWO_BYTES = frozenset("\u00c2\u00c3\u00c4\u00c5\u00ce\u00cf\u00d0\u00d1")
"""What Latin, Greek and Cyrillic letters begin with when they are broken."""
_STARTS = ("\u00ef\u00bf", "\u00ef\u00bb", "\u00f0\u0178")
"""What a replacement character, a byte order mark and an emoji begin with."""
_INVISIBLE = "\u00a0\u200b\u200d\u2060\ufeff\u00ad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mojibake:
    """A field was read in the wrong encoding: "cafÃ©" for "café"; it is put right where that is certain.

    Source: ftfy's idea of a text that makes more sense when it is decoded again; the rule here is our own and stricter.
    """

    code: ClassVar[str] = "mojibake"
    action: ClassVar[str] = "repair"

    def __call__(self, record: InstructionRecord) -> Finding:
        """Return the repair of the first such field."""
        if view(record).ascii:
            return None
        for field in TEXT_FIELDS:
            text = getattr(record, field)
            if (whole := put_right(text)) != text:
                return Repair(code=self.code, field=field, old=text, new=whole)
        return None


def put_right(text: str) -> str:
    """Return the text with every run decoded again that certainly was decoded wrongly."""
    better = _RUN.sub(_again, text)
    while better != text:  # it may have been broken twice; each pass makes it shorter
        text, better = better, _RUN.sub(_again, better)
    return text


def _again(match: re.Match[str]) -> str:
    """Return what a run was meant to be, or the run where that is not certain."""
    run = match.group()
    try:
        meant = bytes(_TO_BYTE[letter] for letter in run).decode()
    except UnicodeDecodeError:
        return run
    return run if not _is_certain(run, meant) else meant


def _is_certain(run: str, meant: str) -> bool:
    """Say whether a run that could be decoded again is no text of its own, such as `\u00e9\u201d\u2026` in French."""
    if not all(letter.isprintable() or letter in _INVISIBLE for letter in meant):
        return False
    if run.isalpha() and not run.startswith("\u00c3"):  # letters alone may be a word
        return False
    if len(meant) > 1:
        return not _AMBIGUOUS.issuperset(run[1:])
    if len(run) == 2:  # noqa: PLR2004  # a character of two bytes
        return run[0] in _TWO_BYTES and run[1] not in _AMBIGUOUS
    return (run[0] == "\u00e2" and not _AMBIGUOUS.issuperset(run[1:])) or run.startswith(_STARTS)
