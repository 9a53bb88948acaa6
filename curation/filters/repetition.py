"""Responses that say the same again and again."""

import re
from dataclasses import dataclass
from typing import ClassVar

from curation.filters.findings import evidence
from curation.filters.view import view
from schemas.outcome import Finding
from schemas.record import InstructionRecord, Reason

_WORD = re.compile(r"[^\W\d_]{2,}")
_PROSE_LINE = re.compile(r"^[^|<>{}=]+$", re.MULTILINE)
GRAM = 4
"""Words in a run that is looked for again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseRepeats:
    """The response goes round in a loop: most of its four-word runs stand in it more than once.

    Numbers, single letters, tables, markup and code are not counted, and a song's chorus stays under the limit.
    Source: Gopher's repetition rules (duplicate n-grams), with a limit that fits answers instead of web pages.
    """

    code: ClassVar[str] = "response_repeats"
    action: ClassVar[str] = "reject"
    min_words: int = 40
    """Shortest response that is judged, in words."""
    max_ratio: float = 0.6
    """Largest share (0 to 1) of four-word runs that may be repetitions of earlier ones."""

    def __call__(self, record: InstructionRecord) -> Finding:
        """Return a reason with the share and the run that is repeated most."""
        seen, text = view(record), record.response
        # an English text whose words are mostly different has no loop: a cheap look, which settles nearly every record
        if text.isascii() and (seen.answer_length < self.min_words or len(seen.answered) > 0.5 * seen.answer_length):
            return None
        words = _WORD.findall("\n".join(_PROSE_LINE.findall(text.lower())))
        if len(words) < self.min_words:
            return None
        runs = [tuple(words[i : i + GRAM]) for i in range(len(words) - GRAM + 1)]
        ratio = 1 - len(set(runs)) / len(runs)
        if ratio <= self.max_ratio:
            return None
        return Reason(
            code=self.code,
            field="response",
            found=evidence(text[-300:]),
            limit=f"{self.max_ratio:g} of its four-word runs repeated",
            scores={"ratio": round(ratio, 3)},
        )
