"""Responses that stop before their end.

Two checks, because the evidence is of two strengths. A text that ends on "of the" was cut. A last sentence without its
full stop was cut or was written by somebody in a hurry: that is noted, not rejected.
"""

import re
from dataclasses import dataclass
from typing import ClassVar

from curation.filters.findings import Span, reason_at
from schemas.outcome import Finding
from schemas.record import InstructionRecord

_NEVER_LAST = frozenset(
    "a an the and or nor their our your my whose because although while if where including between among against "
    "would could should must cannot every however additionally furthermore moreover therefore but whether its".split()
)
"""Words that hardly any English sentence ends with."""

_SELDOM_LAST = frozenset(
    "of with from into onto upon than is are was were be been has had which who at towards toward during to for as "
    "in on by not very each these those his when how does may such".split()
)
"""Words that end a sentence now and then ("someone to talk to"): evidence where a sentence was due, not in a list."""

_SENTENCE_END = re.compile(
    r"(?<=[a-zA-Z0-9%)\]\"'”’])(?<!\b[a-zA-Z])(?<!\b(?:Mr|Dr|St|Jr|Sr|Ms|vs|No))(?<!\b(?:Inc|Mrs|Ltd|Jan|Feb|Aug|Oct|Nov|Dec))"
    r"(?<!^\d)(?<!\s\d)(?<!^\d\d)(?<!\s\d\d)[.!?][\"'”’)\]]*(?=\s|$)",
    re.MULTILINE,
)
_ITEM = re.compile(r"\s*(?:[-*•–+>|#○·]|\(?(?:\d{1,3}|[a-zA-Z]|[IVXivx]{1,4})[.):]\s|[^.!?:|]{1,60}(?::|\||\s-|\s–)\s)")
_CODE = re.compile(
    r"```|[{};]\s*$|^\s*(?:def|class|import|from|return|print|SELECT|public|var|let|const|#include)\b|</?\w+>|"
    r"\w\([^)\s]*\)|\w=\S|\s[=<>+]{1,3}\s|https?://\S+$|@\S+\.\w+$|[\^\\]\S*\$$",
    re.MULTILINE,
)
_CUT_NUMBER = re.compile(
    r"(?:\b(?:in|of|since|until|by|from|year|and|to|for|on|January|February|March|April|May|June|July|August|September|"
    r"October|November|December)|\d(?:st|nd|rd|th)?,) 20\Z|[$€£]\Z"
)
_NO_SENTENCE = re.compile(
    r"#\w+\W*\Z|\A[-–—―~]|\A//|\A(?:with |best |kind |warm |many |yours |your |heartfelt ){0,3}(?:regards|sincerely|gratitude|wishes|"
    r"love|cheers|thanks|truly|faithfully|best)\b",
    re.IGNORECASE,
)
"""A hashtag, a quotation's author, a comment, the end of a letter: what may follow the last sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseTruncated:
    """The response stops in the middle of a sentence, on a word or sign that no sentence ends with.

    Source: `finish_reason` "length"; and a stop string that also occurs in the text, which no finish reason tells:
    Alpaca's "20." left "as of 20" where "as of 2020." had been written.
    """

    code: ClassVar[str] = "response_truncated"
    action: ClassVar[str] = "reject"
    min_words: int = 8
    """Shortest response that is judged, in words."""

    def __call__(self, record: InstructionRecord) -> Finding:
        """Return a reason at the last words."""
        text = record.response.rstrip()
        if not _is_open(text) or len(text.split()) < self.min_words or _CODE.search(text):
            return None
        tail = _tail(text)
        if not _breaks_off(tail, follows_prose=_follows_prose(text, tail)):
            return None
        return reason_at(self.code, "response", text, (len(text) - len(tail), len(text)), "a finished sentence")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseUnfinished:
    """The last sentence of the response has no end: the sentences before it have their full stops.

    Together with `response_truncated` it finds nine in ten of the texts that were cut anywhere.
    """

    code: ClassVar[str] = "response_unfinished"
    action: ClassVar[str] = "flag"
    min_words: int = 12
    """Shortest response that is judged, in words."""

    def __call__(self, record: InstructionRecord) -> Finding:
        """Return a reason at the last sentence."""
        text = record.response.rstrip()
        if not _is_open(text) or len(text.split()) < self.min_words or _CODE.search(text):
            return None
        tail = _tail(text)
        follows = _follows_prose(text, tail)
        if not follows or _breaks_off(tail, follows_prose=follows):
            return None
        return reason_at(self.code, "response", text, (len(text) - len(tail), len(text)), "a full stop")


def _is_open(text: str) -> bool:
    """Say whether the last character is one that a finished sentence does not end with."""
    return bool(text) and (text[-1].isalnum() or text[-1] in ",-–—(&$€£'’/")


def _tail(text: str) -> str:
    """Return what follows the last sentence end or line break."""
    line = text[text.rfind("\n") + 1 :]
    end = max((match.end() for match in _SENTENCE_END.finditer(line)), default=0)
    return line[end:].lstrip()


def _follows_prose(text: str, tail: str) -> bool:
    """Say whether the tail goes on a text of finished sentences: not a list, a poem, or a signature."""
    if _ITEM.match(tail) or _NO_SENTENCE.search(tail):
        return False
    lines = [line.rstrip() for line in text[: len(text) - len(tail)].splitlines() if line.strip()]
    if not lines or not _SENTENCE_END.search(lines[-1], max(len(lines[-1]) - 12, 0)):
        return False
    if lines[-1].endswith("?") and len(tail.split()) < 3:
        return False
    finished = sum(line.endswith((".", "!", "?", '"', "”", ")")) for line in lines)
    return 2 * finished >= len(lines) and (tail.find(",") < 0 or len(tail.split()) > 3 or tail.endswith(","))


def _breaks_off(tail: str, *, follows_prose: bool) -> bool:
    """Say whether the tail ends on something that no sentence ends with."""
    words = tail.split()
    if not words or _NO_SENTENCE.search(tail):
        return False
    if _CUT_NUMBER.search(tail) or (tail.rfind("(") > tail.rfind(")") and len(words) > 1):
        return True
    if tail.endswith((",", "–", "—", "&")):
        return follows_prose
    sentence = follows_prose or (len(words) > 4 and words[0][:1].isupper() and not _ITEM.match(tail))
    last = words[-1]
    return (last in _NEVER_LAST and len(words) > 3) or (sentence and last in _NEVER_LAST | _SELDOM_LAST)
