"""Responses that say the same again and again."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from curation.filters.findings import evidence
from curation.filters.view import view
from schemas.outcome import Finding
from schemas.record import InstructionRecord, Reason

_WORD = re.compile(r"[^\W\d_]{2,}")
_WORD_OR_NUMBER = re.compile(r"[^\W\d_]{2,}|\d+")
_ITEM_NUMBER = re.compile(r"(?:^|[.!?] )[ \t]*(?:[a-z]+ )?\d+[.):]", re.MULTILINE)
"""The number of an item, "3." or "Step 3:", which tells nothing."""
_PROSE_LINE = re.compile(r"^[^|<>{}=]+$", re.MULTILINE)
GRAM = 4
"""Words in a run that is looked for again."""


TAIL = 30
"""Characters at the end of a loop that occur before in it, whatever is repeated: a quick look for one."""
LONGEST = 60
"""Words of the longest part that is looked for at the end, over and over."""
LOOPED = 15
"""Words at the end, from which on they are a loop and no emphasis: "very, very, very"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseRepeats:
    """The response goes round in a loop: it ends on the same words over and over, or hardly says anything once.

    Single letters, tables, markup and code are not counted, numbers only where they tell one run from another, as in "7
    times 3 is 21"; a song's chorus or a plan for every day of the week stays under the limits. Source: Gopher's
    repetition rules (duplicate n-grams), with limits that fit answers instead of web pages.
    """

    code: ClassVar[str] = "response_repeats"
    action: ClassVar[str] = "reject"
    min_words: int = 40
    """Shortest response that is judged, in words."""
    max_ratio: float = 0.85
    """Largest share (0 to 1) of four-word runs that may be repetitions of earlier ones."""
    max_times: int = 3
    """How often a response may end on the same words in a row."""

    def __call__(self, record: InstructionRecord) -> Finding:
        """Return a reason with the share of repeated runs, or with how often the end is repeated."""
        seen, text = view(record), record.response
        if text.isascii() and seen.answer_length < self.min_words:
            return None
        loops = text.count(text.rstrip()[-TAIL:]) >= self.max_times
        # an English text whose words are mostly different has no loop: a cheap look, which settles nearly every record
        if not loops and text.isascii() and len(seen.answered) > 0.5 * seen.answer_length:
            return None
        prose = "\n".join(_PROSE_LINE.findall(text.lower()))
        words = _WORD.findall(prose)
        if len(words) < self.min_words:
            return None
        if loops and (times := repeated_end(words)) > self.max_times:
            return self._reason(text, f"at most {self.max_times} times the same at the end", {"times": times})
        words = _WORD_OR_NUMBER.findall(_ITEM_NUMBER.sub("", prose))
        runs = [tuple(words[i : i + GRAM]) for i in range(len(words) - GRAM + 1)]
        ratio = 1 - len(set(runs)) / len(runs)
        if ratio <= self.max_ratio:
            return None
        return self._reason(text, f"{self.max_ratio:g} of its four-word runs repeated", {"ratio": round(ratio, 3)})

    def _reason(self, text: str, limit: str, scores: dict[str, float]) -> Reason:
        return Reason(code=self.code, field="response", found=evidence(text[-300:]), limit=limit, scores=scores)


def repeated_end(words: Sequence[str]) -> int:
    """Return how often the words end on the same part in a row, the last one perhaps begun; 1 where they do not."""
    most = 1
    for period in range(2, min(LONGEST, len(words) // 2) + 1):
        same = 0
        while same + period < len(words) and words[-1 - same] == words[-1 - same - period]:
            same += 1
        if same >= max(period, LOOPED):
            most = max(most, same // period + 1)
    return most
