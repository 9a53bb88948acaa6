"""Characters that are the remains of a wrong decoding or of a binary file."""

import re
from dataclasses import dataclass
from typing import ClassVar

from curation.filters.findings import reason_at
from schemas.outcome import Finding
from schemas.record import TEXT_FIELDS, InstructionRecord

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_BROKEN = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]"  # control characters; U+0085 is a line end
    r"|[\ufffd\ufffe\uffff]|[\ue000-\uf8ff]"  # replacement, non-characters, private use
    r"|â€[™œ\x9d˜¢¦“”–—\"]|Ã[\x80-\xbf]|Â[\xa0-\xbf]|ï»¿|ï¿½"  # UTF-8 read as Windows-1252
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenCharacters:
    """A field holds characters that nobody wrote: U+FFFD, mojibake ("donâ€™t"), control or private-use characters.

    Source: AlpacaDataCleaned, "stray control characters".
    """

    code: ClassVar[str] = "broken_characters"
    action: ClassVar[str] = "reject"

    def __call__(self, record: InstructionRecord) -> Finding:
        """Return a reason at the first broken character, named by its code point."""
        for field in TEXT_FIELDS:
            text = getattr(record, field)
            if text.isprintable():
                if text.isascii():
                    continue
            match = (_CONTROL if text.isascii() else _BROKEN).search(text)
            if match:
                found = " ".join(f"U+{ord(letter):04X}" for letter in match.group())
                return reason_at(self.code, field, found, (0, len(found)), "readable text")
        return None
