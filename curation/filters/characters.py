"""Characters that are the remains of a wrong decoding or of a binary file."""

import re
from dataclasses import dataclass
from typing import ClassVar

from curation.filters.findings import EVIDENCE, evidence
from curation.filters.view import view
from schemas.outcome import Finding
from schemas.record import TEXT_FIELDS, InstructionRecord, Reason

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
        seen = view(record)
        if seen.ascii and not seen.control:
            return None
        for field in TEXT_FIELDS:
            text = getattr(record, field)
            if match := _BROKEN.search(text):
                points = " ".join(f"U+{ord(letter):04X}" for letter in match.group()[: EVIDENCE // 7])
                return Reason(code=self.code, field=field, found=points, limit="readable text", span=match.span())
        return None


_DELETED = bytes(one for one in range(256) if one >= 128 or chr(one).isalnum() or chr(one).isspace())  # noqa: PLR2004  # ASCII
_SIGNS_ARE_ASKED_FOR = re.compile(
    r"\b(?:code|program|function|script|regex\w*|regular expression|html|css|xml|json|latex|equation|formula|"
    r"emojis?|emoticons?|ascii|"
    r"symbols?|punctuation|characters?|password|markdown|table|morse|cipher|encrypt\w*|decode|encode|sql|query|array|matrix|brackets?|"
    r"pattern|diagram|chart|tree|graph|url|string|sequence|expression|crossword|puzzle|sudoku|board|notation|format)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MostlySigns:
    """The response is made of signs more than of letters and digits, and the task is not about signs.

    Source: NeMo Curator's non-alphanumeric share, held against the answer alone and with code and tables let be.
    """

    code: ClassVar[str] = "mostly_signs"
    action: ClassVar[str] = "flag"
    max_ratio: float = 0.6
    """Largest share (0 to 1) of a response's characters, blanks left out, that may be ASCII signs."""
    min_characters: int = 20
    """Shortest response that is judged, in characters."""

    def __call__(self, record: InstructionRecord) -> Finding:
        """Return a reason with the share."""
        text = record.response
        if len(text) < self.min_characters:
            return None
        signs = len(text.encode(errors="replace").translate(None, _DELETED))
        if signs <= self.max_ratio * len(text) / 2 or _SIGNS_ARE_ASKED_FOR.search(record.instruction):
            return None
        ratio = signs / max(len("".join(text.split())), 1)
        if ratio <= self.max_ratio:
            return None
        limit = f"at most {self.max_ratio:g} of it signs"
        return Reason(
            code=self.code, field="response", found=evidence(text), limit=limit, scores={"ratio": round(ratio, 3)}
        )
