"""Characters that are the remains of a wrong decoding or of a binary file."""

import re
from dataclasses import dataclass
from typing import ClassVar

from curation.filters.findings import EVIDENCE
from schemas.outcome import Finding
from schemas.record import TEXT_FIELDS, InstructionRecord, Reason

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]+")
_BROKEN = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]+"  # control characters; U+0085 is a line end
    r"|[\ufffd\ufffe\uffff\ue000-\uf8ff]+"  # replacement, non-characters, private use
    r"|\u00e2\u20ac[\u2122\u0153\x9d\u02dc\u00a2\u00a6\u201c\u201d\u2013\u2014\"]"  # quotation marks
    r"|\u00c3[\x80-\xbf]|\u00c2[\xa0-\xbf]|\u00ef\u00bb\u00bf|\u00ef\u00bf\u00bd"  # letters, the byte order mark
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenCharacters:
    """A field holds characters that nobody wrote: U+FFFD, UTF-8 read as Windows-1252, control or private-use ones.

    Source: AlpacaDataCleaned, "stray control characters".
    """

    code: ClassVar[str] = "broken_characters"
    action: ClassVar[str] = "reject"

    def __call__(self, record: InstructionRecord) -> Finding:
        """Return a reason at the first broken character, named by its code point."""
        for field in TEXT_FIELDS:
            text = getattr(record, field)
            plain = text.isascii()
            if plain and text.isprintable():
                continue
            if match := (_CONTROL if plain else _BROKEN).search(text):
                points = " ".join(f"U+{ord(letter):04X}" for letter in match.group()[: EVIDENCE // 7])
                return Reason(code=self.code, field=field, found=points, limit="readable text", span=match.span())
        return None
